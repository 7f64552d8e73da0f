// The order of a map's lines, the chains among them, and the functions of the others.
#include <algorithm>
#include <string>

#include "tasks/map_compile.h"

namespace thalweg {

namespace {

constexpr int NOTHING = -1;  // flows

using Line = MapGraph::Line;

// Bit j: operand j is not a number for each element.
unsigned single_operands(const MapGraph& graph, const Line& line) {
  unsigned single = 0;
  for (int i = 0; i < line.operands; ++i)
    if (!graph.is_full(line.operand[i])) single |= 1u << i;
  return single;
}

// A reciprocal rounds once more than a division. So that a row has the same bits alone as
// among others, where each has a divisor of its own, its divisor isn't taken for one.
bool divides_by_rows(const MapGraph& graph, const Line& line) {
  return line.opcode == Opcode::divide && graph.registers[line.operand[1]].of_rows;
}

class Scheduler {
 public:
  Scheduler(MapGraph& graph, const Kernels& kernels)
      : graph_(graph), lines_(graph.lines), kernels_(kernels) {}

  // As given, but a line that can go on with the result of the one before it comes next.
  void order() {
    std::vector<Line> ordered;
    known_.resize(graph_.registers.size());
    std::fill_n(known_.begin(), graph_.inputs.size(), true);
    int flow = NOTHING;
    while (!lines_.empty()) {
      auto next = next_link(flow);
      if (next == lines_.end()) {
        next = std::find_if(lines_.begin(), lines_.end(),
                            [this](const Line& line) { return is_ready(line); });
        flow = first_flow(*next);
        if (flow != NOTHING) next = next_link(flow);
      }
      known_[next->result] = true;
      flow = flow_after(*next, flow);
      ordered.push_back(*next);
      lines_.erase(next);
    }
    lines_ = std::move(ordered);
  }

  // The stage that begins with a line: as long a chain as there is, or it alone.
  Stage stage(std::size_t begin) const {
    const int first = first_flow(lines_[begin]);
    std::size_t end = begin;
    for (int flow = first; end < lines_.size() && is_link(lines_[end], flow); ++end)
      flow = flow_after(lines_[end], flow);
    if (end > begin + 1) return {begin, end, first, nullptr, 0};
    Stage stage{begin, begin + 1, NOTHING, nullptr, 0};
    choose_function(lines_[begin], stage);
    return stage;
  }

 private:
  // A line that can go on from a register: first those that let it flow on.
  std::vector<Line>::iterator next_link(int flow) {
    auto best = lines_.end();
    for (auto line = lines_.begin(); line != lines_.end(); ++line) {
      if (!is_ready(*line) || !is_link(*line, flow)) continue;
      if (line->in != line->out) return line;
      if (best == lines_.end()) best = line;
    }
    return best;
  }

  bool is_ready(const Line& line) const {
    return std::all_of(line.operand.begin(), line.operand.begin() + line.operands,
                       [this](int operand) { return known_[operand]; });
  }

  bool is_link(const Line& line, int flow) const {
    Link link;
    return make_link(graph_, kernels_, line, flow, link);
  }

  // The operand that a chain can load if this line begins it.
  int first_flow(const Line& line) const {
    for (int i = 0; i < line.operands; ++i)
      if (is_link(line, line.operand[i])) return line.operand[i];
    return NOTHING;
  }

  // The function that takes most of a line's single numbers as they are.
  void choose_function(const Line& line, Stage& stage) const {
    const unsigned single = graph_.is_full(line.result) ? single_operands(graph_, line) : 0;
    const unsigned takable = divides_by_rows(graph_, line) ? single & ~2u : single;
    unsigned taken = 0;
    for (unsigned mask = 0; mask < 8; ++mask) {
      const bool is_better =
          !stage.function || __builtin_popcount(mask) > __builtin_popcount(taken);
      if ((mask & ~takable) || !is_better) continue;
      const MapFunction found = kernels_.map(line.opcode, line.in, line.out, mask);
      if (!found) continue;
      stage.function = found;
      taken = mask;
    }
    if (!stage.function)
      throw PlanError(std::string("no kernel for ") + name(line.opcode) + " from " +
                      name(line.in) + " to " + name(line.out));
    stage.repeated = single & ~taken;
  }

  MapGraph& graph_;
  std::vector<Line>& lines_;  // of the graph
  const Kernels& kernels_;
  std::vector<bool> known_;  // registers
};

}  // namespace

std::vector<Stage> schedule(MapGraph& graph, const Kernels& kernels) {
  Scheduler scheduler(graph, kernels);
  scheduler.order();
  std::vector<Stage> stages;
  for (std::size_t begin = 0; begin < graph.lines.size(); begin = stages.back().end)
    stages.push_back(scheduler.stage(begin));
  return stages;
}

bool make_link(const MapGraph& graph, const Kernels& kernels, const Line& line, int flow,
               Link& link) {
  if (flow < 0 || !graph.is_full(flow) || graph.registers[flow].dtype != line.in)
    return false;
  if (divides_by_rows(graph, line) && !graph.is_full(line.operand[1])) return false;
  unsigned flowing = 0;
  for (int i = 0; i < line.operands; ++i)
    if (line.operand[i] == flow) flowing |= 1u << i;
  return flowing &&
         kernels.link(link, line.opcode, line.in, flowing, single_operands(graph, line));
}

}  // namespace thalweg
