#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "checks.h"

static PyObject *half(PyObject *self, PyObject *argument)
{
    long value = PyLong_AsLong(argument);
    (void)self;
    if (value == -1 && PyErr_Occurred())
        return NULL;
    return PyLong_FromLong(checked_half(value));
}

static PyObject *where(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return Py_BuildValue("(sss)", __FILE__, checks_header(), checks_source());
}

static PyMethodDef methods[] = {
    {"half", half, METH_O, "Half of an even number."},
    {"where", where, METH_NOARGS, "The source files as the compiler named them."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_native", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModule_Create(&module);
}
