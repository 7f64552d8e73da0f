// Plans written down word by word, as core/plan.cpp reads them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/plan.h"

namespace thalweg::tests {

using Words = std::vector<std::int64_t>;
using Shape = std::vector<Index>;

template <class Number>
std::int64_t word(Number number) {
  return static_cast<std::int64_t>(number);
}

inline Words join(const std::vector<Words>& parts) {
  Words all;
  for (const Words& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

struct At {
  int buffer;
  Shape extents;
  Dtype dtype = Dtype::float64;
  int rows = -1;
  std::optional<Shape> strides = {};  // none: in order, without gaps
  Index offset = 0;
};

inline Words place(const At& at) {
  Words words{at.buffer, at.offset, word(at.dtype), word(at.extents.size()), at.rows};
  Shape strides(at.extents.size());
  Index stride = item_size(at.dtype);
  for (std::size_t axis = strides.size(); axis-- > 0; stride *= at.extents[axis])
    strides[axis] = stride;
  words.insert(words.end(), at.extents.begin(), at.extents.end());
  if (at.strides) strides = *at.strides;
  words.insert(words.end(), strides.begin(), strides.end());
  return words;
}

// A buffer that moves: where it is at time 0, and by how many bytes it moves.
struct Motion {
  At start;
  Index move, times;
};

struct Has {
  BufferKind kind;
  Shape extents = {};
  Dtype dtype = Dtype::float64;
  Index offset = 0;
  std::optional<Motion> motion = {};
};

inline Words buffer(const Has& has) {
  if (has.motion)
    return join({{word(has.kind)},
                 place(has.motion->start),
                 {has.motion->move, has.motion->times}});
  Words words{word(has.kind), word(has.dtype), word(has.extents.size())};
  words.insert(words.end(), has.extents.begin(), has.extents.end());
  words.push_back(has.offset);
  return words;
}

inline Words step(StepKind kind, const std::vector<Words>& parts) {
  const Words body = join(parts);
  return join({{word(kind), word(body.size())}, body});
}

struct Line {
  Opcode opcode;
  std::vector<std::int64_t> operands;
  Dtype dtype = Dtype::float64;
};

struct Output {
  int line;
  At place;
};

struct Map {
  Shape extents;
  std::vector<At> inputs;
  std::vector<Line> lines;
  std::vector<Output> outputs;
  int rows = -1;
  bool tail = false;
};

inline Words step(const Map& map) {
  std::vector<Words> parts{{map.tail, word(map.extents.size()), map.rows}, map.extents};
  parts.push_back({word(map.inputs.size())});
  for (const At& input : map.inputs) parts.push_back(place(input));
  parts.push_back({word(map.lines.size())});
  for (const Line& line : map.lines) {
    parts.push_back({word(line.opcode), word(line.dtype), word(line.operands.size())});
    parts.push_back(line.operands);
  }
  parts.push_back({word(map.outputs.size())});
  for (const Output& output : map.outputs) {
    parts.push_back({output.line});
    parts.push_back(place(output.place));
  }
  return step(StepKind::map, parts);
}

struct Loop {
  At turns;
  bool reverse;
  Index times;
  std::vector<std::int64_t> moving;
  std::vector<Words> steps;
};

inline Words step(const Loop& loop) {
  return step(StepKind::loop, {place(loop.turns),
                               {loop.reverse, loop.times, word(loop.moving.size())},
                               loop.moving,
                               {word(loop.steps.size())},
                               join(loop.steps)});
}

struct Written {
  std::vector<Has> buffers;
  std::vector<Words> steps;
  Index rows = 0;
  Index arena = 0;
  Index constants = 0;  // bytes
};

inline Words words(const Written& plan) {
  std::vector<Words> parts{{MAGIC, FORMAT, plan.arena, plan.rows, word(plan.buffers.size()),
                            word(plan.steps.size()), plan.constants}};
  for (const Has& has : plan.buffers) parts.push_back(buffer(has));
  for (const Words& each : plan.steps) parts.push_back(each);
  return join(parts);
}

inline Plan read(const Written& plan) {
  const Words all = words(plan);
  return decode(all.data(), all.size(), static_cast<std::size_t>(plan.constants));
}

}  // namespace thalweg::tests
