// Makes a map ready: which operands can be used where they lie, which lines can be done
// once, in which scratch the others leave their results.
#include <algorithm>
#include <string>

#include "map.h"
#include "memory.h"

namespace thalweg {

namespace {

constexpr Index BLOCK_BYTES = 24 << 10;  // of all scratch; the first cache holds 32K
constexpr Index LEAST_BLOCK = 256;       // elements
constexpr Index MOST_BLOCK = 1024;
constexpr Index LONG_ROW = 512;      // rows at least so long are run one by one
constexpr Index LONG_ENOUGH = 128;   // the same, where each has a number of its own

// Of a register: one number for all elements, one for each slab, or one for each.
enum class Kind : std::uint8_t { single, single_in_slab, full };

double nanoseconds(Opcode opcode, Dtype dtype) {
  const double width = item_size(dtype) / 4.0;
  switch (opcode) {
    case Opcode::power:
      return 1.5 * width;
    case Opcode::exp:
    case Opcode::expm1:
    case Opcode::log:
    case Opcode::log1p:
    case Opcode::sin:
    case Opcode::cos:
    case Opcode::tanh:
    case Opcode::sigmoid:
    case Opcode::softplus:
    case Opcode::erf:
      return 0.5 * width;
    case Opcode::divide:
    case Opcode::sqrt:
      return 0.17 * width;
    default:
      return 0.025 * width;
  }
}

bool overlap(const Place& a, const Place& b) {
  const auto end = [](const Place& place) {
    Index last = place.offset + item_size(place.dtype);
    for (int axis = 0; axis < place.rank; ++axis)
      last += (place.extents[axis] - 1) * place.strides[axis];
    return last;
  };
  return a.buffer == b.buffer && a.offset < end(b) && b.offset < end(a);
}

}  // namespace

class MapCompiler {
 public:
  MapCompiler(const Circumstances& circumstances, const MapStep& step, MapTask& task)
      : kernels_(circumstances.kernels), step_(step), task_(task) {
    for (const Place& input : step.inputs) inputs_.push_back(resolve(circumstances, input));
    for (const MapOutput& output : step.outputs)
      outputs_.push_back({output.line, resolve(circumstances, output.place), 0, false});
    extents_ = step.extents;
    if (step.rows_axis >= 0)
      extents_[step.rows_axis] =
          extents_[step.rows_axis] / circumstances.plan.rows * circumstances.rows;
  }

  void compile() {
    for (int axis = 0; axis < step_.rank; ++axis)
      if (extents_[axis] == 0) return;
    lay_out_space();
    read_lines();
    if (changes_nothing()) {
      task_.units = 0;
      return;
    }
    join_multiplies();
    order_lines();
    find_last_reads();
    place_inputs();
    place_outputs();
    place_lines();
    store_outputs();
    lay_out_scratch();
    estimate();
  }

 private:
  using Slot = MapTask::Slot;
  static constexpr int NEVER = -1;
  static constexpr int ALWAYS = 1 << 30;

  struct Line {
    Opcode opcode;
    Dtype in, out;
    int operands;
    std::array<int, 3> operand;
    int result;  // register
    bool gone;
  };

  struct Output {
    int line;  // register
    Place place;
    Slot slot;
    bool direct;
  };

  struct Register {
    Dtype dtype;
    Kind kind;
    int same_as;  // the register that holds the same, often itself
    Slot slot = 0;
    Slot spread = 0;     // where it was repeated for a whole block, or 0
    int last_read = -1;  // by which line
    int line = -1;       // that computes it
    bool pooled = false;
  };

  struct Steps {  // bytes
    Index unit, element;
  };

  // --- the space -------------------------------------------------------------------

  void lay_out_space() {
    std::vector<Extents*> strides;
    for (Place& input : inputs_) strides.push_back(&input.strides);
    for (Output& output : outputs_) strides.push_back(&output.place.strides);
    original_inputs_ = inputs_;
    for (const Output& output : outputs_) original_outputs_.push_back(output.place);
    rank_ = collapse(step_.rank, extents_, strides);
    const bool flat = runs_rows_together();
    task_.outer_rank_ = std::max(rank_ - (flat ? 2 : 1), 0);
    task_.outer_extents_ = extents_;
    task_.unit_ = flat ? extents_[rank_ - 1] : 1;
    task_.slab_units_ = rank_ == 0 ? 1 : extents_[task_.outer_rank_];
    task_.units = task_.outer_rank_ ? extents_[0] : task_.slab_units_;
    task_.grain = task_.outer_rank_ ? 1 : (64 + task_.unit_ - 1) / task_.unit_;
  }

  // Short rows are run several at a time, as one row of elements.
  bool runs_rows_together() const {
    if (rank_ < 2 || extents_[rank_ - 1] >= LONG_ROW) return false;
    const auto has_own_number = [this](const Place& place) {
      return place.strides[rank_ - 1] == 0 && place.strides[rank_ - 2] != 0;
    };
    return extents_[rank_ - 1] < LONG_ENOUGH ||
           std::none_of(inputs_.begin(), inputs_.end(), has_own_number);
  }

  Steps steps_of(const Place& place) const {
    if (rank_ == 0) return {0, 0};
    const Index unit = place.strides[task_.outer_rank_];
    return {unit, task_.unit_ == 1 ? 0 : place.strides[rank_ - 1]};
  }

  bool stands_still_outside(const Place& place) const {
    for (int axis = 0; axis < task_.outer_rank_; ++axis)
      if (place.strides[axis]) return false;
    return true;
  }

  bool is_in_order(const Place& place) const {
    const Index item = item_size(place.dtype);
    const Steps steps = steps_of(place);
    if (rank_ == 0) return true;
    if (task_.unit_ == 1) return steps.unit == item;
    return steps.element == item && steps.unit == item * task_.unit_;
  }

  bool is_single_in_slab(const Place& place) const {
    const Steps steps = steps_of(place);
    return rank_ > 0 && steps.unit == 0 && steps.element == 0;
  }

  // --- the lines -------------------------------------------------------------------

  void read_lines() {
    for (const Place& input : inputs_) {
      Kind kind = Kind::full;
      if (is_single_in_slab(input))
        kind = stands_still_outside(input) ? Kind::single : Kind::single_in_slab;
      add_register(input.dtype, kind);
    }
    for (const MapLine& line : step_.lines) read_line(line);
    for (Output& output : outputs_) output.line = registers_[output.line].same_as;
  }

  int add_register(Dtype dtype, Kind kind) {
    const auto number = static_cast<int>(registers_.size());
    registers_.push_back({dtype, kind, number});
    return number;
  }

  void read_line(const MapLine& given) {
    Line line{given.opcode, dtype_read(step_, given), given.dtype, given.operands,
              given.operand, 0,  false};
    Kind kind = Kind::single;
    for (int i = 0; i < line.operands; ++i) {
      line.operand[i] = registers_[line.operand[i]].same_as;
      kind = std::max(kind, registers_[line.operand[i]].kind);
    }
    line.result = add_register(line.out, kind);
    const bool changes_nothing =
        line.opcode == Opcode::stop_gradient ||
        (line.opcode == Opcode::cast && line.in == line.out);
    if (changes_nothing) {
      registers_[line.result].same_as = line.operand[0];
      return;
    }
    registers_[line.result].line = static_cast<int>(lines_.size());
    lines_.push_back(line);
  }

  // Whether every output is an input that lies there already.
  bool changes_nothing() const {
    return std::all_of(outputs_.begin(), outputs_.end(), [&](const Output& output) {
      if (output.line >= static_cast<int>(inputs_.size())) return false;
      const Place& input = inputs_[output.line];
      return input.buffer == output.place.buffer && input.offset == output.place.offset &&
             input.strides == output.place.strides;
    });
  }

  std::vector<int> count_readers() const {
    std::vector<int> readers(registers_.size());
    for (const Line& line : lines_)
      for (int i = 0; i < line.operands; ++i) ++readers[line.operand[i]];
    for (const Output& output : outputs_) ++readers[output.line];
    return readers;
  }

  // A multiply whose only reader adds or subtracts becomes one line with it.
  void join_multiplies() {
    const std::vector<int> readers = count_readers();
    for (Line& line : lines_) {
      if (line.opcode != Opcode::add && line.opcode != Opcode::subtract) continue;
      for (int side = 1; side >= 0; --side) {
        const int source = registers_[line.operand[side]].line;
        if (source < 0 || readers[line.operand[side]] != 1) continue;
        if (join(line, side, lines_[source])) break;
      }
    }
    lines_.erase(std::remove_if(lines_.begin(), lines_.end(),
                                [](const Line& line) { return line.gone; }),
                 lines_.end());
  }

  bool join(Line& line, int side, Line& multiply) {
    if (multiply.opcode != Opcode::multiply || multiply.gone ||
        registers_[multiply.result].kind != registers_[line.result].kind)
      return false;
    Opcode opcode = Opcode::multiply_add;
    if (line.opcode == Opcode::subtract)
      opcode = side == 0 ? Opcode::multiply_subtract : Opcode::subtract_multiply;
    if (!kernels_.map(opcode, line.in, line.out, 0)) return false;
    const int other = line.operand[1 - side];
    line.opcode = opcode;
    line.operands = 3;
    line.operand = {multiply.operand[0], multiply.operand[1], other};
    multiply.gone = true;
    return true;
  }

  // As given, but a line that can go on with the result of the one before it comes next.
  void order_lines() {
    std::vector<Line> ordered;
    std::vector<bool> known(registers_.size());
    std::fill_n(known.begin(), inputs_.size(), true);
    int flow = NEVER;
    while (!lines_.empty()) {
      auto next = next_link(flow, known);
      if (next == lines_.end()) {
        next = std::find_if(lines_.begin(), lines_.end(),
                            [&](const Line& line) { return is_ready(line, known); });
        flow = first_flow(*next);
        if (flow >= 0) next = next_link(flow, known);
      }
      known[next->result] = true;
      flow = flow_after(*next, flow);
      ordered.push_back(*next);
      lines_.erase(next);
    }
    lines_ = std::move(ordered);
  }

  // A line that can go on from a register: first those that let it flow on.
  std::vector<Line>::iterator next_link(int flow, const std::vector<bool>& known) {
    auto best = lines_.end();
    for (auto line = lines_.begin(); line != lines_.end(); ++line) {
      if (!is_ready(*line, known) || !is_link(*line, flow)) continue;
      if (line->in != line->out) return line;
      if (best == lines_.end()) best = line;
    }
    return best;
  }

  static bool is_ready(const Line& line, const std::vector<bool>& known) {
    return std::all_of(line.operand.begin(), line.operand.begin() + line.operands,
                       [&](int operand) { return known[operand]; });
  }

  // --- chains ----------------------------------------------------------------------

  // Makes the link that a line is in a chain where a register's number flows; false if
  // there is none.
  bool make_link(const Line& line, int flow, Link& link) const {
    if (flow < 0 || registers_[flow].kind != Kind::full ||
        registers_[flow].dtype != line.in)
      return false;
    unsigned flowing = 0, fixed = 0;
    for (int i = 0; i < line.operands; ++i) {
      if (line.operand[i] == flow) flowing |= 1u << i;
      if (registers_[line.operand[i]].kind != Kind::full) fixed |= 1u << i;
    }
    return flowing && kernels_.link(link, line.opcode, line.in, flowing, fixed);
  }

  bool is_link(const Line& line, int flow) const {
    Link link;
    return make_link(line, flow, link);
  }

  // The operand that a chain can load if this line begins it.
  int first_flow(const Line& line) const {
    for (int i = 0; i < line.operands; ++i)
      if (is_link(line, line.operand[i])) return line.operand[i];
    return NEVER;
  }

  // What flows on: comparisons only look at it.
  static int flow_after(const Line& line, int flow) {
    return flow < 0 || line.in == line.out ? line.result : flow;
  }

  // How many lines from this one on make a chain; a line alone makes none.
  std::size_t chain_length(std::size_t first) const {
    int flow = first_flow(lines_[first]);
    if (flow < 0) return 1;
    std::size_t next = first;
    while (next < lines_.size() && is_link(lines_[next], flow)) {
      flow = flow_after(lines_[next], flow);
      ++next;
    }
    return next - first;
  }

  // Whether a result is wanted in memory, by outputs or by lines outside begin…end.
  bool is_wanted(int result, std::size_t begin, std::size_t end) const {
    for (const Output& output : outputs_)
      if (output.line == result) return true;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const Line& line = lines_[i];
      if (i >= begin && i < end) continue;
      const auto last = line.operand.begin() + line.operands;
      if (std::find(line.operand.begin(), last, result) != last) return true;
    }
    return false;
  }

  void place_lines() {
    for (std::size_t i = 0; i < lines_.size();) {
      const std::size_t length = chain_length(i);
      if (length > 1)
        place_chain(i, i + length);
      else
        place_line(i);
      i += length;
    }
  }

  void place_chain(std::size_t begin, std::size_t end) {
    const Dtype dtype = lines_[begin].in;
    int flow = first_flow(lines_[begin]);
    MapTask::Line chain{};
    chain.dtype = dtype;
    chain.first_link = task_.links_.size();
    add_link(Opcode::load, dtype, registers_[flow].slot);
    for (std::size_t i = begin; i < end; ++i) {
      place_link(i, flow, end);
      flow = flow_after(lines_[i], flow);
    }
    add_link(Opcode::end, dtype, 0);
    task_.lines_.push_back(chain);
    free_.insert(free_.end(), freed_by_chain_.begin(), freed_by_chain_.end());
    freed_by_chain_.clear();
  }

  void add_link(Opcode opcode, Dtype dtype, Slot place) {
    Link link{};
    kernels_.link(link, opcode, dtype, 0, 0);
    link.places[0] = place;
    task_.links_.push_back(link);
  }

  void place_link(std::size_t number, int flow, std::size_t end) {
    const Line& line = lines_[number];
    Link link{};
    make_link(line, flow, link);
    int places = 0;
    for (int i = 0; i < line.operands; ++i)
      if (line.operand[i] != flow)
        link.places[places++] = registers_[line.operand[i]].slot;
    // Where numbers of another size lay, the chain may still read those further on.
    release_operands(line, static_cast<int>(number), freed_by_chain_);
    Register& result = registers_[line.result];
    if (line.in != line.out) {
      link.places[places] = result.slot = slot_of_result(line);
      task_.links_.push_back(link);
      return;
    }
    task_.links_.push_back(link);
    if (!is_wanted(line.result, number + 1, flow_end(number, end))) return;
    result.slot = slot_of_result(line);
    add_link(Opcode::leave, line.out, result.slot);
  }

  // Behind the last line of a chain that this line's result flows to.
  std::size_t flow_end(std::size_t number, std::size_t end) const {
    std::size_t last = number + 1;
    while (last < end && lines_[last].in != lines_[last].out) ++last;
    return std::min(last + 1, end);
  }

  void find_last_reads() {
    for (std::size_t i = 0; i < lines_.size(); ++i)
      for (int j = 0; j < lines_[i].operands; ++j)
        registers_[lines_[i].operand[j]].last_read = static_cast<int>(i);
  }

  // --- slots -----------------------------------------------------------------------

  Slot new_slot() { return static_cast<Slot>(task_.slots_++); }

  Slot scratch_slot() {
    const Slot slot = new_slot();
    blocks_.push_back(slot);
    return slot;
  }

  Slot pooled_slot() {
    if (free_.empty()) return scratch_slot();
    const Slot slot = free_.back();
    free_.pop_back();
    return slot;
  }

  Slot point_to(const Place& place) {
    const Slot slot = new_slot();
    task_.operands_.push_back(
        {slot, place.buffer, place.offset, steps_of(place).unit, place.strides});
    return slot;
  }

  std::array<Index, 2> dense(Dtype dtype) const {
    const Index item = item_size(dtype);
    return {item * task_.unit_, item};
  }

  void place_inputs() {
    task_.slots_ = 1;  // the first is for operands that a function doesn't have
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const Place& input = inputs_[i];
      Register& reg = registers_[i];
      reg.slot = point_to(input);
      if (reg.kind == Kind::full && (!is_in_order(input) || is_stored_late(i)))
        gather(input, reg);
    }
  }

  // Whether an input is an output too, and another output may lie where it does.
  bool is_stored_late(std::size_t input) const {
    const auto is_it = [&](const Output& output) {
      return output.line == static_cast<int>(input);
    };
    return std::any_of(outputs_.begin(), outputs_.end(), is_it) &&
           std::any_of(original_outputs_.begin(), original_outputs_.end(),
                       [&](const Place& place) {
                         return overlap(place, original_inputs_[input]);
                       });
  }

  void gather(const Place& input, Register& reg) {
    const Steps steps = steps_of(input);
    const Index item = item_size(input.dtype);
    const bool expands = task_.unit_ > 1 && (steps.element == 0 ||
                                             (steps.unit == 0 && steps.element == item));
    const MapTask::Transfer transfer{
        reg.slot, scratch_slot(), static_cast<int>(item), {steps.unit, steps.element},
        dense(input.dtype), expands};
    reg.slot = transfer.to;
    const bool repeats = steps.unit == 0;
    (!repeats                      ? task_.gathers_
     : stands_still_outside(input) ? task_.spread_once_
                                   : task_.spread_each_slab_)
        .push_back(transfer);
  }

  void place_outputs() {
    for (Output& output : outputs_) output.slot = point_to(output.place);
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const int line = registers_[outputs_[i].line].line;
      if (line == -1) registers_[outputs_[i].line].last_read = ALWAYS;
    }
    choose_direct();
    for (const Output& output : outputs_)
      if (!output.direct) registers_[output.line].last_read = ALWAYS;
  }

  // Results go straight to their place where that is in order and no line reads later
  // what lies there now.
  void choose_direct() {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      Output& output = outputs_[i];
      const int line = current_line_of(output.line);
      if (line < 0 || registers_[output.line].kind != Kind::full ||
          !is_in_order(output.place) || has_direct(output.line))
        continue;
      bool free = true;
      for (std::size_t j = 0; j < inputs_.size(); ++j)
        free &= registers_[j].last_read <= line ||
                !overlap(original_inputs_[j], original_outputs_[i]);
      output.direct = free;
    }
  }

  int current_line_of(int result) const {
    for (std::size_t i = 0; i < lines_.size(); ++i)
      if (lines_[i].result == result) return static_cast<int>(i);
    return NEVER;
  }

  bool has_direct(int result) const {
    return std::any_of(outputs_.begin(), outputs_.end(), [&](const Output& output) {
      return output.direct && output.line == result;
    });
  }

  void place_line(std::size_t number) {
    const Line& line = lines_[number];
    Register& result = registers_[line.result];
    MapTask::Line compiled{};
    unsigned fixed = 0;
    if (result.kind == Kind::full)
      for (int i = 0; i < line.operands; ++i)
        if (registers_[line.operand[i]].kind != Kind::full) fixed |= 1u << i;
    fixed = best_variant(line, fixed, compiled.function);
    for (int i = 0; i < line.operands; ++i) {
      Register& reg = registers_[line.operand[i]];
      const bool spread = result.kind == Kind::full && reg.kind != Kind::full &&
                          !(fixed >> i & 1);
      compiled.operands[i] = spread ? spread_of(reg) : reg.slot;
    }
    if (result.kind != Kind::full) {
      result.slot = new_slot();
      singles_.push_back(result.slot);
      compiled.out = result.slot;
      (result.kind == Kind::single ? task_.once_ : task_.each_slab_).push_back(compiled);
      return;
    }
    std::vector<Slot> later;
    release_operands(line, static_cast<int>(number), later);
    compiled.out = result.slot = slot_of_result(line);
    free_.insert(free_.end(), later.begin(), later.end());
    task_.lines_.push_back(compiled);
  }

  // The function that takes most of its single operands as they are.
  unsigned best_variant(const Line& line, unsigned wanted, MapFunction& function) const {
    unsigned best = 0;
    function = nullptr;
    for (unsigned mask = 0; mask < 8; ++mask) {
      if ((mask & ~wanted) || (function && __builtin_popcount(mask) <= __builtin_popcount(best)))
        continue;
      const MapFunction found = kernels_.map(line.opcode, line.in, line.out, mask);
      if (!found) continue;
      function = found;
      best = mask;
    }
    if (!function)
      throw PlanError(std::string("no kernel for ") + name(line.opcode) + " from " +
                      name(line.in) + " to " + name(line.out));
    return best;
  }

  Slot spread_of(Register& reg) {
    if (reg.spread) return reg.spread;
    reg.spread = scratch_slot();
    (reg.kind == Kind::single ? task_.spread_once_ : task_.spread_each_slab_)
        .push_back({reg.slot, reg.spread, item_size(reg.dtype), {0, 0}, dense(reg.dtype)});
    return reg.spread;
  }

  // Frees the scratch that no line after this one reads: for this line's result too, or,
  // where the size of its numbers is another, only later.
  void release_operands(const Line& line, int number, std::vector<Slot>& later) {
    for (int i = 0; i < line.operands; ++i) {
      Register& reg = registers_[line.operand[i]];
      if (!reg.pooled || reg.last_read != number) continue;
      reg.pooled = false;  // an operand may be named twice
      const bool same_size = item_size(reg.dtype) == item_size(line.out);
      (same_size ? free_ : later).push_back(reg.slot);
    }
  }

  // Where a line leaves its result: an output's place, or scratch.
  Slot slot_of_result(const Line& line) {
    for (const Output& output : outputs_)
      if (output.direct && output.line == line.result) return output.slot;
    registers_[line.result].pooled = true;
    return pooled_slot();
  }

  void store_outputs() {
    for (const Output& output : outputs_) {
      if (output.direct) continue;
      const Register& reg = registers_[output.line];
      const Steps steps = steps_of(output.place);
      const std::array<Index, 2> none{};
      task_.stores_.push_back({reg.slot, output.slot, item_size(reg.dtype),
                               reg.kind == Kind::full ? dense(reg.dtype) : none,
                               {steps.unit, steps.element}});
    }
  }

  // --- scratch ---------------------------------------------------------------------

  void lay_out_scratch() {
    Index width = 4;
    for (const Register& reg : registers_)
      width = std::max(width, static_cast<Index>(item_size(reg.dtype)));
    const auto blocks = std::max<Index>(static_cast<Index>(blocks_.size()), 1);
    const Index fitting = BLOCK_BYTES / (blocks * width) / 64 * 64;
    const Index elements = std::clamp(fitting, LEAST_BLOCK, MOST_BLOCK);
    task_.block_units_ = std::max<Index>(elements / task_.unit_, 1);
    const Index most = std::min(task_.block_units_, task_.slab_units_) * task_.unit_;
    const std::size_t block_bytes =
        aligned(static_cast<std::size_t>(most * width)) + ALIGNMENT;  // see expand
    std::size_t at = aligned(task_.slots_ * sizeof(std::byte*));
    for (const Slot slot : singles_) at = lay(slot, at, ALIGNMENT);
    for (const Slot slot : blocks_) at = lay(slot, at, block_bytes);
    task_.scratch_bytes = at;
  }

  std::size_t lay(Slot slot, std::size_t at, std::size_t bytes) {
    task_.scratch_.emplace_back(slot, at);
    return at + bytes;
  }

  void estimate() {
    double each = 0;
    for (const Line& line : lines_)
      if (registers_[line.result].kind == Kind::full)
        each += nanoseconds(line.opcode, line.in);
    for (const Place& input : inputs_) each += item_size(input.dtype) / 100.0;
    for (const Output& output : outputs_) each += item_size(output.place.dtype) / 60.0;
    double elements = 1;
    for (int axis = 0; axis < rank_; ++axis) elements *= static_cast<double>(extents_[axis]);
    task_.work = each * elements;
  }

  const Kernels& kernels_;
  const MapStep& step_;
  MapTask& task_;
  std::vector<Place> inputs_, original_inputs_, original_outputs_;
  std::vector<Output> outputs_;
  Extents extents_{};
  int rank_ = 0;
  std::vector<Register> registers_;
  std::vector<Line> lines_;
  std::vector<Slot> free_, freed_by_chain_, blocks_, singles_;
};

MapTask::MapTask(const Circumstances& circumstances, const MapStep& step)
    : kernels_(&circumstances.kernels) {
  MapCompiler(circumstances, step, *this).compile();
}

}  // namespace thalweg
