// Python's lock: let go while the engine works, and taken back in order.
#pragma once

#include <nanobind/nanobind.h>

#include <utility>

#include "platform/watch.h"

namespace thalweg {

[[noreturn]] void stay_here();

// Calls what may run Python, or wait for its lock. When the interpreter ends, Python up to
// 3.13 ends such a thread by pthread_exit, which unwinds it: destructors would touch
// Python without the lock, and the first function that may not throw would abort the
// process. So the thread stays where it is for as long as the process lives, as it does
// from Python 3.14 on.
template <class Call>
auto call_python(const Call& call) noexcept -> decltype(call()) {
  try {
    return call();
  } catch (...) {
    stay_here();
  }
}

// Whether the interpreter ends: then no thread runs Python any more but the one that asks.
inline bool is_finalizing() {
#if PY_VERSION_HEX >= 0x030d0000
  return Py_IsFinalizing();
#else
  return _Py_IsFinalizing();
#endif
}

// While one lives, other threads run Python.
class GilReleased {
 public:
  GilReleased() : state_(PyEval_SaveThread()) {}
  ~GilReleased() { take_back(); }
  GilReleased(const GilReleased&) = delete;
  GilReleased& operator=(const GilReleased&) = delete;

  // Calls with the lock.
  template <class Call>
  auto with_gil(const Call& call) {
    take_back();
    const auto answer = call_python(call);
    state_ = PyEval_SaveThread();
    return answer;
  }

 private:
  void take_back() {
    call_python([this] { PyEval_RestoreThread(state_); });
  }

  PyThreadState* state_;
};

// Polls a Python callable from a run that has let the GIL go. What it raises ends the
// run, and is raised when the run has ended.
class PythonPoll {
 public:
  explicit PythonPoll(nanobind::object callable) : callable_(std::move(callable)) {}

  // Works without the GIL; work takes the poll.
  template <class Work>
  auto run(const Work& work) {
    try {
      auto result = [&] {
        GilReleased released;
        return work(poll(released));
      }();
      rethrow();
      return result;
    } catch (...) {
      rethrow();
      throw;
    }
  }

 private:
  Poll poll(GilReleased& released);
  bool ask();
  void rethrow();

  nanobind::object callable_;
  nanobind::object raised_;
};

}  // namespace thalweg
