// The rules of maps: lines whose types fit, places with the extents of the space.
#include <string>

#include "core/verify.h"

namespace thalweg {

namespace {

// Whether dtypes fit: those of the operands and that of the result.
bool fits(Types types, const Dtype* in, Dtype out) {
  switch (types) {
    case Types::number: return is_number(in[0]) && out == in[0];
    case Types::real: return is_float(in[0]) && out == in[0];
    case Types::truth: return in[0] == Dtype::boolean && out == Dtype::boolean;
    case Types::compared: return in[0] != Dtype::uint8 && out == Dtype::boolean;
    case Types::chosen: return in[0] == Dtype::boolean && out == in[1];
    case Types::cast: return out != Dtype::uint8;
    default: return out == in[0];  // same: no line of none comes here
  }
}

Dtype dtype_of(const MapStep& step, int number) {
  const auto inputs = static_cast<int>(step.inputs.size());
  return number < inputs ? step.inputs[static_cast<std::size_t>(number)].dtype
                         : step.lines[static_cast<std::size_t>(number - inputs)].dtype;
}

void verify_line(const MapStep& step, const MapLine& line) {
  const Operation& operation = thalweg::operation(line.opcode);
  demand(operation.types != Types::none, "a line's opcode is not elementwise");
  demand(line.operands == operation.operands, "a line has another number of operands");
  Dtype in[3] = {};
  for (int i = 0; i < line.operands; ++i)
    in[i] = dtype_of(step, line.operand[static_cast<std::size_t>(i)]);
  const int last = line.operands - 1;
  const bool same = last == 0 || in[last] == in[last - 1];
  if (!same || !fits(operation.types, in, line.dtype))
    throw PlanError(std::string("a line's dtypes don't fit ") + operation.name);
}

void verify_in_space(const Plan& plan, const MapStep& step, const Place& place) {
  demand(place.rank == step.rank, "a place has another rank than its map");
  for (int axis = 0; axis < step.rank; ++axis)
    demand(place.extents[axis] == step.extents[axis],
           "a place has other extents than its map");
  const bool stands_still =
      place.rows_axis < 0 && step.rows_axis >= 0 && place.strides[step.rows_axis] == 0;
  demand(place.rows_axis == step.rows_axis || stands_still,
         "a place has another rows axis than its map");
  verify_read(plan, place);
}

void verify_tail(const MapStep& step, const Step* before) {
  const auto* product = before ? std::get_if<ProductStep>(before) : nullptr;
  demand(product && !product->out_row_axes, "a tail must follow a product");
  const Place& given = product->out;
  bool found = false;
  for (const Place& input : step.inputs) found |= are_same(input, given);
  for (const MapOutput& out : step.outputs) found |= are_same(out.place, given);
  demand(found, "a tail must read or write what the product before it gives");
  // It runs on rows of the result while others are still to be computed.
  for (const Place& input : step.inputs)
    demand(are_same_or_apart(input, given), "a tail reads a product's result elsewhere");
  for (const MapOutput& out : step.outputs) {
    demand(are_same_or_apart(out.place, given), "a tail writes over a product's result");
    verify_apart(out.place, product->a);
    verify_apart(out.place, product->b);
    if (product->bias) verify_apart(out.place, *product->bias);
  }
  demand(step.rows_axis == product->out.rows_axis,
         "a tail has another rows axis than its product");
}

void verify_output(Plan& plan, const MapStep& step, const MapOutput& output) {
  verify_in_space(plan, step, output.place);
  verify_written(plan, output.place, false);
  demand(output.place.rows_axis == step.rows_axis,
         "an output has another rows axis than its map");
  demand(output.place.dtype == dtype_of(step, output.line),
         "an output has another dtype than its line");
}

// Each block of elements is read as a whole before any of it is written.
void verify_in_place(const MapStep& step) {
  for (auto out = step.outputs.begin(); out != step.outputs.end(); ++out) {
    for (const Place& input : step.inputs)
      demand(are_same_or_apart(out->place, input),
             "a map's output lies over a part of an input");
    for (auto other = step.outputs.begin(); other != out; ++other)
      demand(are_apart(out->place, other->place), "two outputs of a map overlap");
  }
}

}  // namespace

Dtype dtype_read(const MapStep& step, const MapLine& line) {
  return dtype_of(step, line.operand[static_cast<std::size_t>(line.operands - 1)]);
}

void verify_map(Plan& plan, const MapStep& step, const Step* before) {
  if (step.rows_axis >= 0) verify_rows_extent(plan, step.extents[step.rows_axis]);
  demand(!step.outputs.empty(), "a map has no output");
  for (const Place& input : step.inputs) verify_in_space(plan, step, input);
  for (const MapLine& line : step.lines) verify_line(step, line);
  for (const MapOutput& output : step.outputs) verify_output(plan, step, output);
  verify_in_place(step);
  if (step.tail) verify_tail(step, before);
}

}  // namespace thalweg
