// Arrays, seen through the buffer protocol: NumPy's and any other exporter's.
#pragma once

#include <nanobind/nanobind.h>

#include "core/program.h"

namespace thalweg {

// Holds an array's memory in place while it lives. Its shape is its own: what an exporter
// gives may be missing, or lie in the view itself, which moves.
class Array {
 public:
  Array() = default;
  // Throws nanobind::python_error, and std::invalid_argument if no buffer of a plan could
  // be such memory.
  Array(nanobind::handle object, bool written);
  ~Array();
  Array(Array&& other) noexcept;
  Array& operator=(Array&& other) noexcept;

  // Like the constructor for reading, of an array that holds none yet; false, and no error,
  // where that throws.
  bool try_take(nanobind::handle object);

  std::byte* data() const { return static_cast<std::byte*>(view_.buf); }
  int rank() const { return rank_; }
  Index extent(int axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  Index stride(int axis) const { return strides_[static_cast<std::size_t>(axis)]; }
  std::size_t bytes() const { return static_cast<std::size_t>(view_.len); }
  bool is_taken() const { return taken_; }
  bool is_readonly() const { return !taken_ || view_.readonly; }
  Dtype dtype() const;  // Dtype::count: none of ours

  // Demands a contiguous and aligned array of a dtype (Dtype::count: whole numbers), item
  // size and rank.
  void expect(Dtype dtype, Index item, int rank, const char* what) const;

  // Whether items of a size may be read one by one where they lie.
  bool is_aligned(Index item) const;

  // Whether elements from an axis on lie in order without gaps.
  bool is_dense_from(int axis) const;

 private:
  bool take(nanobind::handle object, int flags);
  const char* format() const;  // without the byte order, if that is the machine's
  bool read_shape();           // false: more axes than any buffer, or memory in pieces

  Py_buffer view_{};
  bool taken_ = false;
  int rank_ = 0;
  Extents extents_{}, strides_{};
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
