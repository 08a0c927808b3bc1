/* Python's side of the products: buffers in, buffers out, the GIL released meanwhile.

   Works with every Python from 3.11 on (limited API). Every length is checked, so that no argument can make it
   read or write elsewhere; that arrays hold what they should is checked by the Python code that calls it. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <string.h>

#include "lists.h"
#include "products.h"

static const struct variant *variant_named(const char *name)
{
    for (const struct variant *const *variant = variants; *variant; variant++)
        if (!strcmp((*variant)->name, name) && (*variant)->runs())
            return *variant;
    PyErr_Format(PyExc_ValueError, "this processor has no variant '%s'", name);
    return NULL;
}

static int dims_allowed(Py_ssize_t dims, int bits)
{
    if (dims >= 1 && dims <= MOST_DIMS && (bits == 8 || (bits == 4 && dims % 2 == 0)))
        return 1;
    PyErr_Format(PyExc_ValueError, "codes of %zd dimensions and %d bits are not supported", dims, bits);
    return 0;
}

static int whole(const Py_buffer *buffer, Py_ssize_t item, const char *what)
{
    if (buffer->len % item == 0)
        return 1;
    PyErr_Format(PyExc_ValueError, "%s: %zd bytes are not a multiple of %zd", what, buffer->len, item);
    return 0;
}

static int of_length(const Py_buffer *buffer, Py_ssize_t items, Py_ssize_t item, const char *what)
{
    if (buffer->len / item == items && buffer->len % item == 0)
        return 1;
    PyErr_Format(PyExc_ValueError, "%s: %zd bytes, but %zd items of %zd are needed", what, buffer->len, items, item);
    return 0;
}

static PyObject *names(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    PyObject *list = PyList_New(0), *tuple;
    for (const struct variant *const *variant = variants; list && *variant; variant++) {
        PyObject *name = (*variant)->runs() ? PyUnicode_FromString((*variant)->name) : NULL;
        if ((*variant)->runs() && (!name || PyList_Append(list, name) < 0))
            Py_CLEAR(list);
        Py_XDECREF(name);
    }
    tuple = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

static PyObject *py_maxsim(PyObject *self, PyObject *args)
{
    const char *name;
    Py_ssize_t dims;
    int bits;
    Py_buffer query, steps, codes, offsets, rows, scores;
    (void)self;
    if (!PyArg_ParseTuple(args, "sniy*y*y*y*z*w*", &name, &dims, &bits, &query, &steps, &codes, &offsets, &rows,
                          &scores))
        return NULL;
    int done = 0;
    const struct variant *variant = variant_named(name);
    if (!variant || !dims_allowed(dims, bits) || !whole(&query, dims, "query") ||
        !of_length(&steps, query.len / dims, 4, "steps") || !whole(&codes, bits == 8 ? dims : dims / 2, "codes") ||
        !whole(&offsets, 8, "offsets"))
        goto end;
    if (offsets.len == 0) {
        PyErr_SetString(PyExc_ValueError, "offsets: empty, but there is one more than passages");
        goto end;
    }
    struct query asked = {query.buf, steps.buf, (size_t)(query.len / dims)};
    struct passages passages = {
        codes.buf,   (size_t)(codes.len / (bits == 8 ? dims : dims / 2)), bits,
        offsets.buf, (size_t)(offsets.len / 8 - 1), rows.buf,
        (size_t)(rows.buf ? rows.len / 8 : offsets.len / 8 - 1),
    };
    if ((rows.buf && !whole(&rows, 8, "rows")) || !of_length(&scores, (Py_ssize_t)passages.wanted, 4, "scores"))
        goto end;
    enum outcome outcome;
    size_t where = 0;
    Py_BEGIN_ALLOW_THREADS
    outcome = maxsim(variant, (size_t)dims, &asked, &passages, scores.buf, &where);
    Py_END_ALLOW_THREADS
    if (outcome == NO_MEMORY)
        PyErr_NoMemory();
    else if (outcome == BAD_ROW)
        PyErr_Format(PyExc_ValueError, "rows[%zu] is none of the %zu passages", where, passages.count);
    else if (outcome == BAD_OFFSETS)
        PyErr_Format(PyExc_ValueError, "the offsets of passage %s%zu%s do not lie within the %zu tokens",
                     rows.buf ? "rows[" : "", where, rows.buf ? "]" : "", passages.tokens);
    else
        done = 1;
end:
    PyBuffer_Release(&query);
    PyBuffer_Release(&steps);
    PyBuffer_Release(&codes);
    PyBuffer_Release(&offsets);
    PyBuffer_Release(&rows);
    PyBuffer_Release(&scores);
    return done ? Py_NewRef(Py_None) : NULL;
}

static PyObject *py_nearest(PyObject *self, PyObject *args)
{
    const char *name;
    Py_ssize_t dims;
    Py_buffer tokens, centroids, bias, index;
    (void)self;
    if (!PyArg_ParseTuple(args, "sny*y*z*w*", &name, &dims, &tokens, &centroids, &bias, &index))
        return NULL;
    int done = 0;
    const struct variant *variant = variant_named(name);
    if (!variant || !dims_allowed(dims, 8) || !whole(&tokens, dims, "tokens") ||
        !whole(&centroids, dims, "centroids") || !of_length(&index, tokens.len / dims, 4, "index") ||
        (bias.buf && !of_length(&bias, centroids.len / dims, 4, "bias")))
        goto end;
    size_t count = (size_t)(centroids.len / dims);
    if (count == 0 || count > MOST_BIAS) {
        PyErr_Format(PyExc_ValueError, "centroids: %zu, not between 1 and %d", count, MOST_BIAS);
        goto end;
    }
    enum outcome outcome;
    Py_BEGIN_ALLOW_THREADS
    outcome = nearest(variant, (size_t)dims, tokens.buf, (size_t)(tokens.len / dims), centroids.buf, count, bias.buf,
                      index.buf);
    Py_END_ALLOW_THREADS
    if (outcome == NO_MEMORY)
        PyErr_NoMemory();
    else
        done = 1;
end:
    PyBuffer_Release(&tokens);
    PyBuffer_Release(&centroids);
    PyBuffer_Release(&bias);
    PyBuffer_Release(&index);
    return done ? Py_NewRef(Py_None) : NULL;
}

static PyObject *py_add_gains(PyObject *self, PyObject *args)
{
    Py_ssize_t probes;
    Py_buffer chunks, edges, picks, gains, scores;
    (void)self;
    if (!PyArg_ParseTuple(args, "ny*y*y*y*w*", &probes, &chunks, &edges, &picks, &gains, &scores))
        return NULL;
    int done = 0;
    if (probes < 1 || edges.len == 0) {
        PyErr_SetString(PyExc_ValueError, "there is a probe or more, and one edge more than lists");
        goto end;
    }
    if (!whole(&chunks, 2, "chunks") || !whole(&edges, 8, "edges") || !whole(&picks, probes * 4, "picks") ||
        !of_length(&gains, picks.len / 4, 4, "gains") || !whole(&scores, 4, "scores"))
        goto end;
    struct lists lists = {chunks.buf, (size_t)(chunks.len / 2), edges.buf, (size_t)(edges.len / 8 - 1)};
    enum outcome outcome;
    Py_BEGIN_ALLOW_THREADS
    outcome = add_gains(&lists, picks.buf, gains.buf, (size_t)(picks.len / 4 / probes), (size_t)probes, scores.buf,
                        (size_t)(scores.len / 4));
    Py_END_ALLOW_THREADS
    if (outcome == NO_MEMORY)
        PyErr_NoMemory();
    else if (outcome == BAD_ROW)
        PyErr_SetString(PyExc_ValueError, "a list or a chunk does not exist");
    else if (outcome == BAD_OFFSETS)
        PyErr_SetString(PyExc_ValueError, "the edges do not lie within the chunks");
    else
        done = 1;
end:
    PyBuffer_Release(&chunks);
    PyBuffer_Release(&edges);
    PyBuffer_Release(&picks);
    PyBuffer_Release(&gains);
    PyBuffer_Release(&scores);
    return done ? Py_NewRef(Py_None) : NULL;
}

static PyObject *py_spin(PyObject *self, PyObject *args)
{
    const char *name;
    Py_ssize_t rounds;
    (void)self;
    if (!PyArg_ParseTuple(args, "sn", &name, &rounds))
        return NULL;
    const struct variant *variant = variant_named(name);
    if (!variant)
        return NULL;
    size_t products;
    Py_BEGIN_ALLOW_THREADS
    products = variant->spin(rounds > 0 ? (size_t)rounds : 0);
    Py_END_ALLOW_THREADS
    return PyLong_FromSize_t(products);
}

static PyMethodDef methods[] = {
    {"names", names, METH_NOARGS, "names() -> the variants that this processor runs, the fastest first"},
    {"maxsim", py_maxsim, METH_VARARGS,
     "maxsim(name, dims, bits, query, steps, codes, offsets, rows | None, scores): fill scores"},
    {"nearest", py_nearest, METH_VARARGS, "nearest(name, dims, tokens, centroids, bias | None, index): fill index"},
    {"add_gains", py_add_gains, METH_VARARGS,
     "add_gains(probes, chunks, edges, picks, gains, scores): raise scores"},
    {"spin", py_spin, METH_VARARGS, "spin(name, rounds) -> how many products of dimensions were made"},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_doc = "MaxSim and nearest centroids over token codes, and scores from inverted lists.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&module);
}
