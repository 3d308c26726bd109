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


def gradient_device(index: int, expected: object, got: object) -> str:
    """`backward` from a gradient that is not where its output is."""
    return f"invalid gradient at index {index} - expected device {expected} but got {got}"


def no_accelerator() -> str:
    """A device by its number, where there is none."""
    return "Cannot access accelerator device when none is available."


def device_arguments(value: object) -> str:
    """`torch.device` of something else than a name, a number or a device; None for nothing at all."""
    got = "" if value is None else type(value).__name__
    reason = f"      didn't match because some of the arguments have invalid types: (!{got}!)\n" if got else ""
    return (
        f"device() received an invalid combination of arguments - got ({got}), but expected one of:\n"
        f" * (torch.device device)\n{reason} * (str type, int index = -1)\n"
    )


def grad_device() -> str:
    """`.grad` set to a tensor on another device."""
    return "assigned grad has data located on a different device"
