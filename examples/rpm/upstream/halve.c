#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "halve.h"

static PyObject *half(PyObject *self, PyObject *argument)
{
    long value = PyLong_AsLong(argument);
    (void)self;
    if (value == -1 && PyErr_Occurred())
        return NULL;
    if (value % 2)
        return PyErr_Format(PyExc_ValueError, "%ld is odd", value);
    return PyLong_FromLong(value / 2);
}

static PyObject *where(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return PyUnicode_FromString(halve_header());
}

static PyMethodDef methods[] = {
    {"half", half, METH_O, "Half of an even number."},
    {"where", where, METH_NOARGS, "The header as the compiler named it."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_halve", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__halve(void)
{
    return PyModule_Create(&module);
}
