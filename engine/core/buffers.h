// The buffers that the plans of a program share by their names, and the memory bound to
// them. It is a class of its own since what may be bound is checked before anything runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/plan.h"

namespace thalweg {

// A buffer that all plans of a program know by its name.
struct Named {
  std::string name;
  Dtype dtype;
  bool has_rows;
  std::vector<Index> extents;  // of the whole array; of one row, if it has rows
  Index bytes;                 // the same
  bool written = false;
  bool dense = false;  // a plan sees several rows as one axis: they can't lie apart
};

// The memory that a name stands for.
struct Binding {
  std::byte* data = nullptr;
  Index rows = 0;
  Index move = 0;  // bytes from a row to the next
  bool bound = false;
};

inline constexpr std::size_t NO_NAME = SIZE_MAX;

class Buffers {
 public:
  // The number of a plan's buffer among those of the program. Throws PlanError if another
  // plan says something else about the name.
  std::size_t add(const Plan& plan, const Buffer& buffer, const std::string& name);
  void keep_dense(std::size_t number) { named_[number].dense = true; }

  const std::vector<Named>& all() const { return named_; }
  std::size_t size() const { return named_.size(); }
  const Named& operator[](std::size_t number) const { return named_[number]; }
  std::size_t find(const std::string& name) const;  // NO_NAME if there is none

  void bind(std::size_t number, const Binding& binding) { bindings_[number] = binding; }
  const Binding& binding(std::size_t number) const { return bindings_[number]; }

  // These throw std::invalid_argument.
  void check_bound() const;
  // A plan is verified by its buffers: none that is written may share memory with another.
  void check_apart() const;
  void check_rows(std::size_t number, Index rows) const;

  // Whether rows must be brought together before a block can read them. Throws
  // std::invalid_argument if they are written, but come in an order.
  bool is_staged(std::size_t number, bool has_order) const;

 private:
  std::vector<Named> named_;
  std::vector<Binding> bindings_;
};

}  // namespace thalweg
