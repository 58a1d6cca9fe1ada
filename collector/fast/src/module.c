/* The extension module collector.fast._native: which functions there are.
 *
 * Multi-phase initialisation and no state: each call keeps what it knows on its own stack.
 */
#include "layout.h"

PyObject *native_place(PyObject *module, PyObject *args);

static PyMethodDef methods[] = {
    {"read_envelopes", read_envelopes, METH_VARARGS,
     PyDoc_STR("read_envelopes(*columns)\n--\n\nSee collector.fast.Native.")},
    {"gather", gather, METH_VARARGS,
     PyDoc_STR("gather(source, starts, lengths, offsets, /)\n--\n\nSee collector.fast.Native.")},
    {"bind", native_bind, METH_VARARGS,
     PyDoc_STR("bind(*classes)\n--\n\nSee collector.fast.Native.")},
    {"place", native_place, METH_VARARGS,
     PyDoc_STR("place(layout, devices, heap, ...)\n--\n\nSee collector.fast.Native.")},
    {NULL, NULL, 0, NULL},
};

static int
module_exec(PyObject *module)
{
    return PyModule_AddIntConstant(module, "INTERFACE", NATIVE_INTERFACE);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_MOD_PER_INTERPRETER_GIL_SUPPORTED
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "collector.fast._native",
    .m_doc = PyDoc_STR("Twins in C of a few hot functions; see collector.fast."),
    .m_size = 0,
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
