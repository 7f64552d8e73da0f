#include "arrays.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "gil.h"

namespace nb = nanobind;

namespace thalweg {

Array::Array(nb::handle object, bool written) {
  const int flags = PyBUF_STRIDES | PyBUF_FORMAT | (written ? PyBUF_WRITABLE : 0);
  taken_ = take(object, flags);
  if (!taken_) throw nb::python_error();
}

bool Array::try_take(nb::handle object) {
  taken_ = take(object, PyBUF_STRIDES | PyBUF_FORMAT);
  if (!taken_) PyErr_Clear();
  return taken_;
}

bool Array::take(nb::handle object, int flags) {
  return call_python([&] { return PyObject_GetBuffer(object.ptr(), &view_, flags); }) == 0;
}

Array::~Array() {
  if (taken_) call_python([this] { PyBuffer_Release(&view_); });
}

Array::Array(Array&& other) noexcept
    : view_(other.view_), taken_(std::exchange(other.taken_, false)) {}

Array& Array::operator=(Array&& other) noexcept {
  std::swap(view_, other.view_);
  std::swap(taken_, other.taken_);
  return *this;
}

Dtype Array::dtype() const {
  const char* format = view_.format ? view_.format : "B";
  if (*format == '=' || *format == '@' || *format == '<') ++format;
  if (format[0] == '\0' || format[1] != '\0') return Dtype::count;
  const bool four = view_.itemsize == 4;
  switch (format[0]) {
    case 'f':
      return Dtype::float32;
    case 'd':
      return Dtype::float64;
    case 'i':
    case 'l':
      return four ? Dtype::int32 : Dtype::count;
    case 'I':
    case 'L':
      return four ? Dtype::uint32 : Dtype::count;
    case '?':
      return Dtype::boolean;
    default:
      return Dtype::count;
  }
}

void Array::expect(Dtype dtype, Index item, int rank, const char* what) const {
  const char* const format = view_.format ? view_.format : "B";
  const bool whole = format[0] && (format[0] == 'q' || format[0] == 'l') && !format[1];
  const bool right = dtype == Dtype::count ? whole : this->dtype() == dtype;
  if (!right || view_.itemsize != item || view_.ndim != rank || !is_dense_from(0))
    throw std::invalid_argument(std::string(what) + " must be a contiguous " +
                                (dtype == Dtype::count ? "int64" : name(dtype)) +
                                " array of " + std::to_string(rank) + " axes");
}

bool Array::is_dense_from(int axis) const {
  Index expected = view_.itemsize;
  for (int at = view_.ndim - 1; at >= axis; --at) {
    if (view_.shape[at] == 0) return true;
    if (view_.shape[at] != 1 && view_.strides[at] != expected) return false;
    expected *= view_.shape[at];
  }
  return true;
}

namespace {

bool is_aligned(const Array& array, Dtype dtype) {
  return reinterpret_cast<std::uintptr_t>(array.data()) %
             static_cast<std::uintptr_t>(item_size(dtype)) == 0;
}

Index row_move(const Named& buffer, const Array& array) {
  return array.extent(0) > 1 ? array.stride(0) : buffer.bytes;
}

}  // namespace

bool fits(const Named& buffer, const Array& array) {
  const int first = buffer.has_rows ? 1 : 0;
  if (array.dtype() != buffer.dtype ||
      array.rank() != static_cast<int>(buffer.extents.size()) + first)
    return false;
  for (int axis = first; axis < array.rank(); ++axis)
    if (array.extent(axis) != buffer.extents[static_cast<std::size_t>(axis - first)])
      return false;
  if (!array.is_dense_from(first)) return false;
  // Rows that are only read are brought together where they lie in a way of their own.
  if (buffer.has_rows && !buffer.written) return true;
  return is_aligned(array, buffer.dtype) &&
         (!buffer.has_rows || row_move(buffer, array) == buffer.bytes);
}

Binding fit(const Named& buffer, const Array& array) {
  if (!fits(buffer, array)) {
    std::string shape = buffer.has_rows ? "rows" : "";
    for (const Index extent : buffer.extents)
      shape += (shape.empty() ? "" : ", ") + std::to_string(extent);
    throw std::invalid_argument("the array bound to " + buffer.name + " must be " +
                                name(buffer.dtype) + " of shape (" + shape +
                                "), contiguous and aligned");
  }
  Binding binding;
  binding.data = array.data();
  binding.bound = true;
  if (buffer.has_rows) {
    binding.rows = array.extent(0);
    binding.move = row_move(buffer, array);
  }
  return binding;
}

namespace {

// Looked up once; NumPy stays loaded as long as Python runs.
PyObject* empty;
PyObject* dtypes;

}  // namespace

void load_numpy() {
  const nb::object numpy = nb::module_::import_("numpy");
  nb::list all;
  for (int i = 0; i < static_cast<int>(Dtype::count); ++i)
    all.append(numpy.attr("dtype")(name(static_cast<Dtype>(i))));
  empty = nb::object(numpy.attr("empty")).release().ptr();
  dtypes = all.release().ptr();
}

nb::object new_array(nb::handle shape, Dtype dtype) {
  PyObject* const arguments[] = {shape.ptr(),
                                 PyList_GET_ITEM(dtypes, static_cast<Py_ssize_t>(dtype))};
  PyObject* const array =
      call_python([&] { return PyObject_Vectorcall(empty, arguments, 2, nullptr); });
  if (!array) throw nb::python_error();
  return nb::steal(array);
}

}  // namespace thalweg
