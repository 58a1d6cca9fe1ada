/* Looks up where the slots are; see layout.h. */
#include "layout.h"
#include <structmember.h> /* T_OBJECT_EX has no other name before Python 3.12 */

static const char NAME[] = "collector.fast.layout";

static int
find_slot(PyTypeObject *type, const char *name, Py_ssize_t *offset)
{
    PyObject *found = PyObject_GetAttrString((PyObject *)type, name);
    if (found == NULL)
        return -1;
    PyMemberDef *member = NULL;
    if (Py_IS_TYPE(found, &PyMemberDescr_Type))
        member = ((PyMemberDescrObject *)found)->d_member;
    Py_DECREF(found);
    if (member == NULL || member->type != T_OBJECT_EX) {
        PyErr_Format(PyExc_TypeError, "%s.%s is no slot", type->tp_name, name);
        return -1;
    }
    *offset = member->offset;
    return 0;
}

static void
free_layout(PyObject *capsule)
{
    struct layout *found = PyCapsule_GetPointer(capsule, NAME);
    if (found == NULL)
        return;
#define LET_GO(name) Py_XDECREF(found->name);
    CLASSES(LET_GO)
    PyMem_Free(found);
}

const struct layout *
layout_of(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, NAME);
}

static int
fill_layout(struct layout *at)
{
    PyTypeObject *type;
#define LOOK_UP(prefix, name)                                                                      \
    if (find_slot(type, #name, &at->prefix##_##name) < 0)                                          \
        return -1;
    type = at->originator;
    ORIGINATOR(LOOK_UP)
    type = at->period;
    PERIOD(LOOK_UP)
    type = at->subscription;
    SUBSCRIPTION(LOOK_UP)
    type = at->run;
    RUN(LOOK_UP)
    type = at->counter;
    COUNTER(LOOK_UP)
    type = at->device;
    DEVICE(LOOK_UP)
    type = at->slot;
    SLOT_OF(LOOK_UP)
    return 0;
}

PyObject *
native_bind(PyObject *Py_UNUSED(module), PyObject *args)
{
    struct layout *at = PyMem_Calloc(1, sizeof *at);
    if (at == NULL)
        return PyErr_NoMemory();
    if (!PyArg_ParseTuple(args, "O!O!O!O!O!O!O!", &PyType_Type, &at->originator, &PyType_Type,
                          &at->period, &PyType_Type, &at->subscription, &PyType_Type, &at->run,
                          &PyType_Type, &at->counter, &PyType_Type, &at->device, &PyType_Type,
                          &at->slot) ||
        fill_layout(at) < 0) {
        PyMem_Free(at);
        return NULL;
    }
    PyObject *capsule = PyCapsule_New(at, NAME, free_layout);
    if (capsule == NULL) {
        PyMem_Free(at);
        return NULL;
    }
#define KEEP(name) Py_INCREF(at->name);
    CLASSES(KEEP)
    return capsule;
}
