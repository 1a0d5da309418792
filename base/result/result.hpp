// Expected failure as a value.
//
// Every operation of this project that can fail for a reason outside the program returns `base::Result<T>`:
// either the value or a `Failure`, which is an error code of the module that noticed (for decisions) and one
// sentence for people (for logs, `status` and the command line). Exceptions thrown by libraries are caught in
// the one .cpp that includes the library and become a Failure there. A broken invariant of our own is not a
// Failure: it ends the process through ASSERT.
//
// Threads: plain values, no shared state; everything here may be used from any thread.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace base {

struct Failure {
  boost::system::error_code code;  // compare against the errc of the module you called
  std::string detail;              // one sentence: what was tried, on what, and why it failed

  // "detail (message of the code)"; never empty.
  [[nodiscard]] std::string what() const;
};

// Thrown by Result<T>::value() on a failure; only tests and main() may rely on it.
[[noreturn]] void throw_exception_from_error(Failure const& failure, boost::source_location const& where);

template <class T>
using Result = boost::system::result<T, Failure>;

// Makes a Failure from a module's errc enumerator (registered with is_error_code_enum).
template <class Errc>
[[nodiscard]] Failure fail(Errc code, std::string detail) {
  return Failure{make_error_code(code), std::move(detail)};
}

// The errno-style failure of a system call that just failed: detail is "<doing>: <strerror>".
[[nodiscard]] Failure fail_errno(int error_number, std::string doing);

// Prints the broken invariant with its place to stderr and aborts; active in release builds too.
[[noreturn]] void invariant_broken(char const* expression, char const* file, int line);

}  // namespace base

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): the expression text is wanted in the message.
#define ASSERT(expression) ((expression) ? (void)0 : ::base::invariant_broken(#expression, __FILE__, __LINE__))
