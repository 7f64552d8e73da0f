#include "core/buffers.h"

#include <algorithm>
#include <stdexcept>

namespace thalweg {

namespace {

// The addresses from the first to behind the last byte of a binding.
struct Span {
  std::uintptr_t first, end;
};

Span span_of(const Named& buffer, const Binding& binding) {
  const auto at = reinterpret_cast<std::uintptr_t>(binding.data);
  const auto bytes = static_cast<std::uintptr_t>(buffer.bytes);
  if (!buffer.has_rows) return {at, at + bytes};
  if (binding.rows == 0) return {at, at};
  const auto last = at + static_cast<std::uintptr_t>((binding.rows - 1) * binding.move);
  return {std::min(at, last), std::max(at, last) + bytes};
}

bool overlap(const Span& a, const Span& b) {
  return std::max(a.first, b.first) < std::min(a.end, b.end);
}

}  // namespace

std::size_t Buffers::add(const Plan& plan, const Buffer& buffer, const std::string& name) {
  const bool has_rows = buffer.kind == BufferKind::rows;
  const auto start = buffer.extents.begin();
  const std::vector<Index> extents{start + has_rows, start + buffer.rank};
  const Index bytes = has_rows ? buffer.bytes / plan.rows : buffer.bytes;
  std::size_t found = find(name);
  if (found == NO_NAME) {
    found = named_.size();
    named_.push_back({name, buffer.dtype, has_rows, extents, bytes});
    bindings_.emplace_back();
  }
  Named& known = named_[found];
  if (known.dtype != buffer.dtype || known.has_rows != has_rows || known.extents != extents)
    throw PlanError("two plans differ about the buffer " + name);
  known.written |= buffer.written;
  return found;
}

std::size_t Buffers::find(const std::string& name) const {
  for (std::size_t i = 0; i < named_.size(); ++i)
    if (named_[i].name == name) return i;
  return NO_NAME;
}

void Buffers::check_bound() const {
  for (std::size_t i = 0; i < named_.size(); ++i)
    if (!bindings_[i].bound)
      throw std::invalid_argument("nothing is bound to " + named_[i].name);
}

void Buffers::check_apart() const {
  for (std::size_t i = 0; i < named_.size(); ++i)
    for (std::size_t j = 0; named_[i].written && j < named_.size(); ++j)
      if (i != j &&
          overlap(span_of(named_[i], bindings_[i]), span_of(named_[j], bindings_[j])))
        throw std::invalid_argument("the array bound to " + named_[i].name +
                                    ", which is written, shares memory with that of " +
                                    named_[j].name);
}

void Buffers::check_rows(std::size_t number, Index rows) const {
  const Index bound = bindings_[number].rows;
  if (bound < rows)
    throw std::invalid_argument(named_[number].name + " has " + std::to_string(bound) +
                                " rows, but the run has " + std::to_string(rows));
}

bool Buffers::is_staged(std::size_t number, bool has_order) const {
  const Named& buffer = named_[number];
  const Binding& binding = bindings_[number];
  if (buffer.written) {
    if (has_order)
      throw std::invalid_argument(buffer.name + " has rows that are written in order");
    return false;
  }
  const Index item = item_size(buffer.dtype);
  const auto address = reinterpret_cast<std::uintptr_t>(binding.data);
  const bool is_even = binding.move >= 0 && binding.move % item == 0 &&
                       address % static_cast<std::uintptr_t>(item) == 0;
  return has_order || !is_even || (buffer.dense && binding.move != buffer.bytes);
}

}  // namespace thalweg
