/* Where the slots of the engine's objects lie, and how to read and write them.
 *
 * Classes with __slots__ keep each value at a fixed offset, which their member descriptors tell; so
 * the compiled fold works on the objects of core/memory themselves and there is no second state
 * that would have to be kept equal. The names are those of the classes.
 */
#ifndef COLLECTOR_LAYOUT_H
#define COLLECTOR_LAYOUT_H

#include "native.h"
#include <stdint.h>

#define ORIGINATOR(X)                                                                              \
    X(o, name) X(o, speaker) X(o, subscription) X(o, counter) X(o, shift) X(o, base)               \
    X(o, arrival_base) X(o, fresh) X(o, seen_times_from) X(o, seen_times_to)                       \
    X(o, seen_arrivals_from) X(o, seen_arrivals_to) X(o, slips) X(o, last_time)                    \
    X(o, last_arrival) X(o, first_index) X(o, last_index) X(o, usual) X(o, member)                 \
    X(o, remembered) X(o, holes)
#define PERIOD(X) X(p, index) X(p, slots) X(p, row) X(p, short) X(p, plain)
#define SUBSCRIPTION(X)                                                                            \
    X(s, id) X(s, originators) X(s, live) X(s, range_from) X(s, period) X(s, periods)              \
    X(s, next_index) X(s, revision)
#define RUN(X)                                                                                     \
    X(r, last_id) X(r, last_arrival) X(r, last_time) X(r, last_originator) X(r, last_index)        \
    X(r, messages) X(r, unmet) X(r, waiting) X(r, seen) X(r, speakers)
#define COUNTER(X)                                                                                 \
    X(c, all) X(c, each) X(c, only_key) X(c, cost_all) X(c, cost_each) X(c, per_key) X(c, by_header)
#define DEVICE(X) X(d, next_offset) X(d, counters) X(d, subscriptions)
#define SLOT_OF(X) X(k, last_arrival) X(k, count)
/* In the order of the arguments of bind(). */
#define CLASSES(X)                                                                                 \
    X(originator) X(period) X(subscription) X(run) X(counter) X(device) X(slot)

#define DECLARE_CLASS(name) PyTypeObject *name;
#define DECLARE_SLOT(prefix, name) Py_ssize_t prefix##_##name;
struct layout {
    CLASSES(DECLARE_CLASS)
    ORIGINATOR(DECLARE_SLOT)
    PERIOD(DECLARE_SLOT)
    SUBSCRIPTION(DECLARE_SLOT)
    RUN(DECLARE_SLOT)
    COUNTER(DECLARE_SLOT)
    DEVICE(DECLARE_SLOT)
    SLOT_OF(DECLARE_SLOT)
};

/* In a function that has ``const struct layout *at``. */
#define GET(object, name) (*(PyObject **)((char *)(object) + at->name))
#define PUT(object, name, value) put_slot((object), at->name, (value))
#define PUT_SAME(object, name, value) put_slot((object), at->name, Py_NewRef(value))

static inline void
put_slot(PyObject *object, Py_ssize_t offset, PyObject *value) /* takes the reference */
{
    PyObject **place = (PyObject **)((char *)object + offset);
    PyObject *old = *place;
    *place = value;
    Py_XDECREF(old);
}

/* A plain int of 64 bits; 0 when it is something else, which is nothing common. */
static inline int
number(PyObject *object, int64_t *value)
{
    if (object == NULL || !PyLong_CheckExact(object))
        return 0;
    int overflow;
    *value = PyLong_AsLongLongAndOverflow(object, &overflow);
    return !overflow;
}

static inline int64_t
floor_divide(int64_t a, int64_t b) /* b > 0 */
{
    int64_t quotient = a / b;
    return quotient - (a % b < 0);
}

static inline int
is(PyObject *object, PyTypeObject *type)
{
    return object != NULL && Py_IS_TYPE(object, type);
}

/* Borrowed; NULL with an exception set when it is no layout. */
const struct layout *layout_of(PyObject *capsule);

PyObject *native_bind(PyObject *module, PyObject *args);

#endif
