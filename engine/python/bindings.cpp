// The module thalweg._engine.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>

#include "core/program.h"
#include "platform/forks.h"
#include "platform/isa.h"
#include "python/arrays.h"
#include "python/gil.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace thalweg {

namespace {

// Strings are read here, since nanobind's own way may not throw: short of memory it would
// end the process.
std::string read_string(nb::handle given) {
  Py_ssize_t size;
  const char* const text = PyUnicode_AsUTF8AndSize(given.ptr(), &size);
  if (!text) throw nb::python_error();
  return {text, static_cast<std::size_t>(size)};
}

std::vector<std::string> read_strings(nb::handle given) {
  std::vector<std::string> strings;
  for (const nb::handle each : given) strings.push_back(read_string(each));
  return strings;
}

// A plan as Python gives it: words, bytes of constants, names of its buffers.
std::optional<Source> read_source(nb::handle given) {
  if (given.is_none()) return std::nullopt;
  const auto parts = nb::cast<nb::tuple>(given);
  if (parts.size() != 3) throw std::invalid_argument("a plan is (words, constants, names)");
  const Array words(parts[0], false);
  words.expect(Dtype::count, 8, 1, "words");
  const Array constants(parts[1], false);
  if (!constants.is_dense_from(0))
    throw std::invalid_argument("the bytes of constants must be contiguous");
  Source source;
  source.plan = decode(reinterpret_cast<const std::int64_t*>(words.data()),
                       static_cast<std::size_t>(words.extent(0)), constants.bytes());
  source.constants = Memory(constants.bytes());
  if (constants.bytes())
    std::memcpy(source.constants.data(), constants.data(), constants.bytes());
  source.names = read_strings(parts[2]);
  return source;
}

const Kernels& choose_kernels(nb::handle isa) {
  return isa.is_none() ? default_kernels() : kernels_named(read_string(isa));
}

// A program with the arrays that it is bound to. One run at a time; others wait.
class BoundProgram {
 public:
  BoundProgram(nb::object before, nb::object block, nb::object after, Index shards,
               nb::handle isa)
      : before_(std::move(before)),
        block_(std::move(block)),
        after_(std::move(after)),
        shards_(shards),
        kernels_(choose_kernels(isa)),
        program_(make_program()),
        arrays_(program_->buffers().size()) {
    find_predicting_buffers();
  }

  void bind(nb::dict arrays) {
    const Turn turn(*this);
    for (const auto [key, value] : arrays) {
      const std::string name = read_string(key);
      const std::size_t buffer = program_->find(name);
      if (buffer == NO_NAME)
        throw std::invalid_argument("the program has no buffer " + name);
      const Named& named = program_->buffers()[buffer];
      Array array(value, named.written);
      program_->bind(buffer, fit(named, array));
      arrays_[buffer] = std::move(array);
    }
  }

  bool run(Index rows, int threads, bool adapts, nb::object poll) {
    const Turn turn(*this);
    return PythonPoll(std::move(poll)).run([&](const Poll& asked) {
      return program_->run(rows, {threads, adapts}, asked);
    });
  }

  // Which of its buffers of rows `predict` reads and writes, where there are several.
  void predict_between(nb::handle input, nb::handle output) {
    const Turn turn(*this);
    const std::size_t read = known(read_string(input)), given = known(read_string(output));
    const auto has_rows = [&](std::size_t number, bool written) {
      const Named& buffer = program_->buffers()[number];
      return buffer.has_rows && buffer.written == written;
    };
    if (!has_rows(read, false) || !has_rows(given, true))
      throw std::invalid_argument("predict reads an input of rows and writes an output");
    input_ = read;
    output_ = given;
  }

  // None if the array isn't what the program takes as it is, has no rows, or has numbers
  // that aren't finite: then the caller looks closer.
  nb::object predict(nb::handle x, int threads, bool adapts, nb::object poll) {
    if (input_ == NO_NAME)
      throw std::invalid_argument(
          "only a program with one input and one output of rows predicts, or one that "
          "knows between which");
    const Turn turn(*this);
    Array array;
    if (!array.try_take(x)) return nb::none();
    const Named& input = program_->buffers()[input_];
    if (!fits(input, array) || array.extent(0) == 0 || !is_finite(array)) return nb::none();
    const Index rows = array.extent(0);
    nb::object result = empty_result(rows);
    Array out(result, true);
    const Loan loan_in(*this, input_, fit(input, array));
    const Loan loan_out(*this, output_, fit(program_->buffers()[output_], out));
    if (program_->estimate(rows) < WORTH_RELEASE) {
      program_->run(rows, {1, false}, nullptr);
      return result;
    }
    const bool is_whole = PythonPoll(std::move(poll)).run([&](const Poll& asked) {
      return program_->run(rows, {threads, adapts}, asked);
    });
    return is_whole ? result : nb::none();
  }

  nb::tuple train(nb::object order, Index rows, Index batch_size, Index first_batch,
                  Index batches, nb::object learning_rates, Index first_step,
                  nb::object log, nb::object log_names, const char* learning_rate,
                  const char* step, nb::object poll, double seconds, int threads,
                  bool adapts) {
    const Turn turn(*this);
    Course course{};
    Array order_array, rates, log_array(log, true);
    if (!order.is_none()) {
      order_array = Array(order, false);
      order_array.expect(Dtype::count, 8, 1, "order");
      course.order = reinterpret_cast<const std::int64_t*>(order_array.data());
      rows = order_array.extent(0);
    }
    course.rows = rows;
    course.batch_size = std::min(batch_size, std::max<Index>(rows, 1));
    course.first_batch = first_batch;
    course.batches = batches;
    course.learning_rate = writable(learning_rate);
    course.step = writable(step);
    if (first_step < 0 || first_step > INT32_MAX - std::max<Index>(batches, 0))
      throw std::invalid_argument("steps must be below 2^31");
    course.first_step = static_cast<std::int32_t>(first_step);
    if (course.learning_rate != NO_NAME) {
      rates = Array(learning_rates, false);
      rates.expect(Dtype::float64, 8, 1, "learning_rates");
      if (rates.extent(0) < batches)
        throw std::invalid_argument("there must be a learning rate for each batch");
      course.learning_rates = reinterpret_cast<const double*>(rates.data());
    }
    for (const std::string& name : read_strings(log_names))
      course.logged.push_back(known(name));
    log_array.expect(Dtype::float64, 8, 2, "log");
    if (log_array.extent(0) < batches)
      throw std::invalid_argument("log must have a row for each batch");
    course.log_width = log_array.extent(1);
    course.log = reinterpret_cast<double*>(log_array.data());
    course.seconds = seconds;
    const Progress progress = PythonPoll(std::move(poll)).run([&](const Poll& asked) {
      return program_->train(course, {threads, adapts}, asked);
    });
    static const char* const reasons[] = {"done", "time", "not_finite", "interrupted"};
    return nb::make_tuple(progress.batches, progress.seconds,
                          reasons[static_cast<int>(progress.end)]);
  }

  nb::list profile(Index rows, int threads, Index repeats) {
    const Turn turn(*this);
    const std::vector<Timing> timings = [&] {
      const GilReleased released;
      return program_->profile(rows, threads, repeats);
    }();
    nb::list result;
    for (const Timing& timing : timings)
      result.append(nb::make_tuple(timing.part, timing.step, timing.seconds, timing.calls));
    return result;
  }

  nb::dict buffers() const {
    nb::dict result;
    for (const Named& named : program_->buffers()) {
      nb::list extents;
      for (const Index extent : named.extents) extents.append(extent);
      result[named.name.c_str()] = nb::make_tuple(name(named.dtype), nb::tuple(extents),
                                                  named.has_rows, named.written);
    }
    return result;
  }

  const char* isa() const { return program_->kernels().name; }
  Index block_rows() const { return program_->block_rows(); }
  std::size_t memory() {
    const Turn turn(*this);
    return program_->memory();
  }

 private:
  static constexpr double WORTH_RELEASE = 20000;  // nanoseconds

  // The program is this thread's while one lives. Whoever waits for it lets the GIL go:
  // who has it may poll. It is taken and given back with the GIL, and whoever forks has
  // the GIL: so a child knows whether a thread of its parent was at work in the program.
  class Turn {
   public:
    explicit Turn(BoundProgram& program) : program_(program), forks_(fork_count()) {
      while (program_.busy_.load() && program_.turn_forks_ == forks_) wait();
      if (program_.busy_.load()) program_.start_anew();
      program_.busy_.store(true);
      program_.turn_forks_ = forks_;
    }
    ~Turn() {
      if (forks_ != fork_count()) return;  // the turn was the parent's
      program_.busy_.store(false);
      program_.busy_.notify_one();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    void wait() {
      if (is_finalizing())  // whoever has it stays where it is
        throw std::runtime_error("a thread that can't end has the program");
      const GilReleased released;
      program_.busy_.wait(true);
    }

    BoundProgram& program_;
    const std::uint64_t forks_;
  };

  // Memory that is bound for one call.
  class Loan {
   public:
    Loan(BoundProgram& bound, std::size_t buffer, const Binding& binding)
        : program_(*bound.program_), buffer_(buffer), before_(program_.binding(buffer)) {
      program_.bind(buffer, binding);
    }
    ~Loan() { program_.bind(buffer_, before_); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

   private:
    Program& program_;
    std::size_t buffer_;
    Binding before_;
  };

  std::unique_ptr<Program> make_program() const {
    return std::make_unique<Program>(read_source(before_), read_source(block_),
                                     read_source(after_), shards_, kernels_);
  }

  // A thread of the parent left the program as it was in the middle of a run. Nothing of
  // it can be trusted, not even to be freed; the arrays are held with the GIL.
  void start_anew() {
    std::unique_ptr<Program> fresh = make_program();
    for (std::size_t i = 0; i < arrays_.size(); ++i)
      if (arrays_[i].is_taken()) fresh->bind(i, fit(fresh->buffers()[i], arrays_[i]));
    static_cast<void>(program_.release());
    program_ = std::move(fresh);
  }

  std::size_t known(const std::string& name) const {
    const std::size_t buffer = program_->find(name);
    if (buffer == NO_NAME) throw std::invalid_argument("the program has no buffer " + name);
    return buffer;
  }

  // A buffer that training itself writes; NO_NAME if the program doesn't have it.
  std::size_t writable(const std::string& name) const {
    const std::size_t buffer = program_->find(name);
    if (buffer != NO_NAME && arrays_[buffer].is_readonly())
      throw std::invalid_argument("the array bound to " + name + " is read-only");
    return buffer;
  }

  void find_predicting_buffers() {
    std::size_t inputs = 0, outputs = 0;
    const std::vector<Named>& buffers = program_->buffers();
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      if (!buffers[i].has_rows) continue;
      (buffers[i].written ? outputs : inputs) += 1;
      (buffers[i].written ? output_ : input_) = i;
    }
    if (inputs != 1 || outputs != 1) input_ = output_ = NO_NAME;
  }

  bool is_finite(const Array& array) const {
    const Named& input = program_->buffers()[input_];
    if (input.dtype != Dtype::float32 && input.dtype != Dtype::float64) return true;
    const Index each = input.bytes / item_size(input.dtype);
    const auto all = [&](Index n, const std::byte* from) {
      return program_->kernels().all_finite(input.dtype, n, from);
    };
    const Index rows = array.extent(0);
    if (rows <= 1 || array.stride(0) == input.bytes) return all(rows * each, array.data());
    for (Index row = 0; row < rows; ++row)
      if (!all(each, array.data() + row * array.stride(0))) return false;
    return true;
  }

  nb::object empty_result(Index rows) const {
    const Named& output = program_->buffers()[output_];
    nb::object shape =
        nb::steal(PyTuple_New(static_cast<Py_ssize_t>(output.extents.size()) + 1));
    if (!shape.is_valid()) throw nb::python_error();
    PyTuple_SET_ITEM(shape.ptr(), 0, PyLong_FromLongLong(rows));
    for (std::size_t i = 0; i < output.extents.size(); ++i)
      PyTuple_SET_ITEM(shape.ptr(), static_cast<Py_ssize_t>(i) + 1,
                       PyLong_FromLongLong(output.extents[i]));
    return new_array(shape, output.dtype);
  }

  const nb::object before_, block_, after_;
  const Index shards_;
  const Kernels& kernels_;
  std::unique_ptr<Program> program_;
  std::vector<Array> arrays_;
  std::size_t input_ = NO_NAME, output_ = NO_NAME;
  std::atomic<bool> busy_{false};
  std::uint64_t turn_forks_ = 0;  // fork_count() when it became busy
};

// Every number of words that a name stands for, by what it is of.
nb::dict enumerations() {
  nb::dict opcodes, versions, dtypes, steps, buffers, format;
  for (int i = 0; i < static_cast<int>(Opcode::count); ++i) {
    opcodes[OPERATIONS[i].name] = i;
    versions[OPERATIONS[i].name] = OPERATIONS[i].version;
  }
#define THALWEG_DTYPE(name, text) dtypes[text] = static_cast<int>(Dtype::name);
#define THALWEG_STEP(name, type) steps[#name] = static_cast<int>(StepKind::name);
#define THALWEG_BUFFER(name) buffers[#name] = static_cast<int>(BufferKind::name);
  THALWEG_DTYPES(THALWEG_DTYPE)
  THALWEG_STEPS(THALWEG_STEP)
  THALWEG_BUFFERS(THALWEG_BUFFER)
#undef THALWEG_BUFFER
#undef THALWEG_STEP
#undef THALWEG_DTYPE
  format["magic"] = MAGIC;
  format["version"] = FORMAT;
  nb::dict all;
  all["opcodes"] = opcodes;
  all["versions of opcodes"] = versions;
  all["dtypes"] = dtypes;
  all["kinds of steps"] = steps;
  all["kinds of buffers"] = buffers;
  all["format of plans"] = format;
  return all;
}

std::vector<std::string> available() {
  std::vector<std::string> names;
  for (const Kernels* const kernels : available_kernels())
    names.emplace_back(kernels->name);
  return names;
}

// A plan that is refused is a ProgramError; Python has the class.
void translate(const std::exception_ptr& raised, void*) {
  try {
    std::rethrow_exception(raised);
  } catch (const PlanError& error) {
    PyObject* const module = PyImport_ImportModule("thalweg.errors");
    PyObject* const type =
        module ? PyObject_GetAttrString(module, "ProgramError") : nullptr;
    if (type) PyErr_SetString(type, error.what());
    Py_XDECREF(type);
    Py_XDECREF(module);
  }
}

}  // namespace

NB_MODULE(_engine, m) {
  nb::set_leak_warnings(false);
  nb::register_exception_translator(translate);
  watch_forks();
  load_numpy();
  available_kernels();
  m.def("enumerations", &enumerations);
  m.def("available", &available);
  m.def("default_isa", [] { return default_kernels().name; });
  m.def("cpu_count", &cpu_count);
  m.def("default_threads", &default_threads);
  nb::class_<ThreadChoice>(m, "ThreadChoice")
      .def(nb::init<int, double>(), "most"_a, "work"_a)
      .def_prop_ro("threads", &ThreadChoice::threads)
      .def("took", &ThreadChoice::took, "time"_a);
  const nb::object none = nb::none();
  nb::class_<BoundProgram>(m, "Program")
      .def(nb::init<nb::object, nb::object, nb::object, Index, nb::handle>(),
           "before"_a.none(), "block"_a.none(), "after"_a.none(), nb::kw_only(),
           "shards"_a = 1, "isa"_a.none() = none)
      .def("bind", &BoundProgram::bind, "arrays"_a)
      .def("run", &BoundProgram::run, "rows"_a = 0, "threads"_a = 1, "adapts"_a = false,
           "poll"_a.none() = none)
      .def("predict_between", &BoundProgram::predict_between, "input"_a, "output"_a)
      .def("predict", &BoundProgram::predict, "x"_a.none(), "threads"_a = 1,
           "adapts"_a = false, "poll"_a.none() = none)
      .def("train", &BoundProgram::train, nb::kw_only(), "order"_a.none() = none,
           "rows"_a = 0, "batch_size"_a, "first_batch"_a = 0, "batches"_a,
           "learning_rates"_a.none() = none, "first_step"_a = 0, "log"_a, "log_names"_a,
           "learning_rate"_a = "learning_rate", "step"_a = "step", "poll"_a.none() = none,
           "seconds"_a = 0.03, "threads"_a = 1, "adapts"_a = false)
      .def("profile", &BoundProgram::profile, "rows"_a = 0, "threads"_a = 1,
           "repeats"_a = 1)
      .def_prop_ro("buffers", &BoundProgram::buffers)
      .def_prop_ro("isa", &BoundProgram::isa)
      .def_prop_ro("block_rows", &BoundProgram::block_rows)
      .def_prop_ro("memory", &BoundProgram::memory);
}

}  // namespace thalweg
