"""Texts about where a tensor is."""


def mixed_devices() -> str:
    """Operands on the CPU and on the GPU in one operation."""
    return "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"


def no_numpy_on_device() -> str:
    """`numpy()` of a tensor on the GPU."""
    return "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."


def grad_device() -> str:
    """`.grad` set to a tensor on another device."""
    return "assigned grad has data located on a different device"
