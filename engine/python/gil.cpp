#include "python/gil.h"

#include <chrono>
#include <thread>

namespace nb = nanobind;

namespace thalweg {

namespace {

nb::object take_raised() {
#if PY_VERSION_HEX >= 0x030c0000
  return nb::steal(PyErr_GetRaisedException());
#else
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  if (trace) PyException_SetTraceback(value, trace);
  Py_XDECREF(type);
  Py_XDECREF(trace);
  return nb::steal(value);
#endif
}

}  // namespace

void stay_here() {
  while (true) std::this_thread::sleep_for(std::chrono::hours(1));
}

Poll PythonPoll::poll(GilReleased& released) {
  if (callable_.is_none()) return nullptr;
  return [this, &released] { return released.with_gil([this] { return ask(); }); };
}

void PythonPoll::rethrow() {
  if (!raised_.is_valid()) return;
  PyObject* const value = raised_.release().ptr();
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(value)), value);
  Py_DECREF(value);
  throw nb::python_error();
}

bool PythonPoll::ask() {
  PyObject* const answer = PyObject_CallNoArgs(callable_.ptr());
  const int truth = answer ? PyObject_IsTrue(answer) : -1;
  Py_XDECREF(answer);
  if (truth >= 0) return truth == 1;
  raised_ = take_raised();
  return true;
}

}  // namespace thalweg
