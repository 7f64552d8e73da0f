// NumPy arrays, seen through the buffer protocol.
#pragma once

#include <nanobind/nanobind.h>

#include "execute.h"

namespace thalweg {

// Holds an array's memory in place while it lives.
class Array {
 public:
  Array() = default;
  Array(nanobind::handle object, bool written);
  ~Array();
  Array(Array&& other) noexcept;
  Array& operator=(Array&& other) noexcept;

  // Like the constructor for reading; false, and no error, if the object has no such
  // memory.
  bool try_take(nanobind::handle object);

  std::byte* data() const { return static_cast<std::byte*>(view_.buf); }
  int rank() const { return view_.ndim; }
  Index extent(int axis) const { return view_.shape[axis]; }
  Index stride(int axis) const { return view_.strides[axis]; }
  std::size_t bytes() const { return static_cast<std::size_t>(view_.len); }
  bool is_taken() const { return taken_; }
  bool is_readonly() const { return !taken_ || view_.readonly; }
  Dtype dtype() const;  // Dtype::count: none of ours

  // Demands a contiguous array of a dtype (Dtype::count: whole numbers), item size and
  // rank.
  void expect(Dtype dtype, Index item, int rank, const char* what) const;

  // Whether elements from an axis on lie in order without gaps.
  bool is_dense_from(int axis) const;

 private:
  bool take(nanobind::handle object, int flags);

  Py_buffer view_{};
  bool taken_ = false;
};

// Whether an array can be bound to a buffer as it lies.
bool fits(const Named& buffer, const Array& array);

// The binding of an array. Throws std::invalid_argument if it doesn't fit.
Binding fit(const Named& buffer, const Array& array);

// To be called when the module is: a lock that guards a first call could be found locked by
// a forked child, or by a thread that has the GIL.
void load_numpy();

// numpy.empty
nanobind::object new_array(nanobind::handle shape, Dtype dtype);

}  // namespace thalweg
