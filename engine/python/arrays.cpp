#include "python/arrays.h"

#include <bit>
#include <stdexcept>
#include <string>
#include <utility>

#include "python/gil.h"

namespace nb = nanobind;

namespace thalweg {

Array::Array(nb::handle object, bool written) : Array() {
  const int flags = PyBUF_STRIDES | PyBUF_FORMAT | (written ? PyBUF_WRITABLE : 0);
  taken_ = take(object, flags);
  if (!taken_) throw nb::python_error();
  if (!read_shape())
    throw std::invalid_argument("an array must have at most " + std::to_string(MAX_RANK) +
                                " axes, and no pointers to others in it");
}

bool Array::try_take(nb::handle object) {
  taken_ = take(object, PyBUF_STRIDES | PyBUF_FORMAT);
  if (!taken_) PyErr_Clear();
  return taken_ && read_shape();
}

bool Array::take(nb::handle object, int flags) {
  return call_python([&] { return PyObject_GetBuffer(object.ptr(), &view_, flags); }) == 0;
}

Array::~Array() {
  if (taken_) call_python([this] { PyBuffer_Release(&view_); });
}

Array::Array(Array&& other) noexcept
    : view_(other.view_),
      taken_(std::exchange(other.taken_, false)),
      rank_(other.rank_),
      extents_(other.extents_),
      strides_(other.strides_) {}

Array& Array::operator=(Array&& other) noexcept {
  std::swap(view_, other.view_);
  std::swap(taken_, other.taken_);
  std::swap(rank_, other.rank_);
  std::swap(extents_, other.extents_);
  std::swap(strides_, other.strides_);
  return *this;
}

bool Array::read_shape() {
  if (view_.ndim > MAX_RANK || view_.suboffsets) return false;
  rank_ = view_.ndim;
  Index stride = view_.itemsize;
  for (int axis = rank_ - 1; axis >= 0; --axis) {
    const auto at = static_cast<std::size_t>(axis);
    // Only bytes in one row may come without a shape; without strides they lie in order.
    extents_[at] = view_.shape ? view_.shape[axis] : view_.len / view_.itemsize;
    strides_[at] = view_.strides ? view_.strides[axis] : stride;
    stride *= extents_[at];
  }
  return view_.shape || rank_ <= 1;
}

const char* Array::format() const {
  constexpr char native = std::endian::native == std::endian::little ? '<' : '>';
  const char* format = view_.format ? view_.format : "B";
  if (*format == '=' || *format == '@' || *format == native) ++format;
  return format;
}

Dtype Array::dtype() const {
  const char* const format = this->format();
  if (format[0] == '\0' || format[1] != '\0') return Dtype::count;
  const auto if_of_size = [this](Dtype dtype) {
    return view_.itemsize == item_size(dtype) ? dtype : Dtype::count;
  };
  switch (format[0]) {
    case 'f': return if_of_size(Dtype::float32);
    case 'd': return if_of_size(Dtype::float64);
    case 'i':
    case 'l': return if_of_size(Dtype::int32);
    case 'I':
    case 'L': return if_of_size(Dtype::uint32);
    case '?': return if_of_size(Dtype::boolean);
    case 'B': return if_of_size(Dtype::uint8);
    default: return Dtype::count;
  }
}

void Array::expect(Dtype dtype, Index item, int rank, const char* what) const {
  const char* const format = this->format();
  const bool whole = (format[0] == 'q' || format[0] == 'l') && !format[1];
  const bool right = dtype == Dtype::count ? whole : this->dtype() == dtype;
  if (!right || view_.itemsize != item || rank_ != rank || !is_dense_from(0) ||
      !is_aligned(item))
    throw std::invalid_argument(std::string(what) + " must be a contiguous and aligned " +
                                (dtype == Dtype::count ? "int64" : name(dtype)) +
                                " array of " + std::to_string(rank) + " axes");
}

bool Array::is_dense_from(int axis) const {
  Index expected = view_.itemsize;
  for (int at = rank_ - 1; at >= axis; --at) {
    if (extent(at) == 0) return true;
    if (extent(at) != 1 && stride(at) != expected) return false;
    expected *= extent(at);
  }
  return true;
}

bool Array::is_aligned(Index item) const {
  return bytes() == 0 ||
         reinterpret_cast<std::uintptr_t>(data()) % static_cast<std::uintptr_t>(item) == 0;
}

namespace {

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
  return array.is_aligned(item_size(buffer.dtype)) &&
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
