#include "core/course.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>

namespace thalweg {

namespace {

template <class Number>
Number load(const std::byte* from) {
  Number number;
  std::memcpy(&number, from, sizeof number);
  return number;
}

double load_number(Dtype dtype, const std::byte* from) {
  switch (dtype) {
    case Dtype::float32: return load<float>(from);
    case Dtype::float64: return load<double>(from);
    case Dtype::int32: return load<std::int32_t>(from);
    case Dtype::uint32: return load<std::uint32_t>(from);
    default: return load<std::uint8_t>(from);
  }
}

template <class Number>
void store(std::byte* to, Number number) {
  std::memcpy(to, &number, sizeof number);
}

void store_real(Dtype dtype, std::byte* to, double number) {
  if (dtype == Dtype::float32)
    store(to, static_cast<float>(number));
  else
    store(to, number);
}

bool is_single(const Named& buffer) { return !buffer.has_rows && buffer.extents.empty(); }

}  // namespace

void Course::check_buffers(const Buffers& buffers) const {
  Index width = 0;
  for (const std::size_t number : logged) {
    const Named& buffer = buffers[number];
    if (buffer.has_rows) throw std::invalid_argument("what is logged must not have rows");
    width += buffer.bytes / item_size(buffer.dtype);
  }
  if (width != log_width)
    throw std::invalid_argument("log must have a column for each number that is logged");
  const auto is_real = [](const Named& buffer) {
    return buffer.dtype == Dtype::float32 || buffer.dtype == Dtype::float64;
  };
  if (learning_rate != NO_NAME &&
      (!is_single(buffers[learning_rate]) || !is_real(buffers[learning_rate])))
    throw std::invalid_argument("the learning rate must be a single real number");
  if (step != NO_NAME && (!is_single(buffers[step]) || buffers[step].dtype != Dtype::int32))
    throw std::invalid_argument("the step must be a single int32");
}

void Course::check_batches() const {
  if (batch_size < 1) throw std::invalid_argument("batch_size must be at least 1");
  if (rows < 0 || first_batch < 0 || batches < 0)
    throw std::invalid_argument("rows and batches must not be negative");
  const Index most = (rows + batch_size - 1) / batch_size;
  if (first_batch > most || batches > most - first_batch)
    throw std::invalid_argument(
        "an epoch has " + std::to_string(most) + " batches, but they should end at " +
        std::to_string(first_batch) + " + " + std::to_string(batches));
}

Batch Course::batch(Index number) const {
  const Index first = (first_batch + number) * batch_size;
  return {first, std::min(batch_size, rows - first), order};
}

void Course::write(const Buffers& buffers, Index number) const {
  if (learning_rate != NO_NAME)
    store_real(buffers[learning_rate].dtype, buffers.binding(learning_rate).data,
               learning_rates[number]);
  if (step != NO_NAME)
    store(buffers.binding(step).data, static_cast<std::int32_t>(first_step + number));
}

bool Course::log_batch(const Buffers& buffers, Index number) const {
  double* const line = log + number * log_width;
  double* next = line;
  for (const std::size_t each : logged) {
    const Named& buffer = buffers[each];
    const Index item = item_size(buffer.dtype);
    for (Index at = 0; at < buffer.bytes; at += item)
      *next++ = load_number(buffer.dtype, buffers.binding(each).data + at);
  }
  return next == line || std::isfinite(line[0]);
}

}  // namespace thalweg
