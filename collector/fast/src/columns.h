/* Columns of machine integers, as Python gives them: arrays, octets, anything with a buffer.
 *
 * Each converter is one for "O&" of PyArg_ParseTuple: it takes a buffer of that one type and lets
 * it go again when a later argument is refused.
 */
#ifndef COLLECTOR_COLUMNS_H
#define COLLECTOR_COLUMNS_H

#include "native.h"

/* In a column of 64-bit numbers: unknown; model.NOTHING. */
#define NOTHING INT64_MIN

struct column {
    Py_buffer view;
    Py_ssize_t rows;
};

#define U8(column) ((octet *)(column).view.buf)
#define U32(column) ((uint32_t *)(column).view.buf)
#define I32(column) ((int32_t *)(column).view.buf)
#define I64(column) ((int64_t *)(column).view.buf)

int read_octets(PyObject *object, void *column);
int read_i32(PyObject *object, void *column);
int read_u32(PyObject *object, void *column);
int read_i64(PyObject *object, void *column);
int write_octets(PyObject *object, void *column);
int write_i32(PyObject *object, void *column);
int write_u32(PyObject *object, void *column);
int write_i64(PyObject *object, void *column);

/* Lets go of what was taken. */
void release(struct column **columns, size_t count);

#endif
