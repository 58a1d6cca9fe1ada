/* What the files of the compiled core share; see collector/fast/__init__.py. */
#ifndef COLLECTOR_NATIVE_H
#define COLLECTOR_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Number of the functions and their arguments, as in collector/fast/__init__.py: raise both. */
#define NATIVE_INTERFACE 1

#endif
