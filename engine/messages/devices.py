"""Texts about where a tensor is."""


def mixed_devices() -> str:
    """Operands on the CPU and on the GPU in one operation."""
    return "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"


def no_numpy_on_device() -> str:
    """`numpy()` of a tensor on the GPU."""
    return "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."


def index_device() -> str:
    """A tensor on the CPU indexed by one on the GPU."""
    return "indices should be either on cpu or on the same device as the indexed tensor (cpu)"


def no_gpu_to_load_to() -> str:
    """`load` of a tensor that was on a GPU, where there is none."""
    return (
        "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you are running "
        "on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your storages to "
        "the CPU."
    )


def grad_device() -> str:
    """`.grad` set to a tensor on another device."""
    return "assigned grad has data located on a different device"
