# What src/module.c defines; what it means is said in ``Native``.

INTERFACE: int
