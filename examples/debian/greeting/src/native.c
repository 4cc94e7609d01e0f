#include <Python.h>

#include "where.h"

static PyObject *
where(PyObject *self, PyObject *unused)
{
    return PyUnicode_FromString(WHERE);
}

static PyMethodDef methods[] = {{"where", where, METH_NOARGS, NULL}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_native", NULL, -1, methods};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModule_Create(&module);
}
