#include "base/result/result.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace base {

std::string Failure::what() const {
  if (detail.empty()) {
    return code.message();
  }
  // A system error's text is already part of the sentence that fail_errno wrote.
  if (code.category() == boost::system::generic_category()) {
    return detail;
  }
  return detail + " (" + code.message() + ")";
}

void throw_exception_from_error(Failure const& failure, boost::source_location const& where) {
  throw std::runtime_error(failure.what() + " at " + where.to_string());
}

Failure fail_errno(int error_number, std::string doing) {
  boost::system::error_code const code(error_number, boost::system::generic_category());
  return Failure{code, std::move(doing) + ": " + code.message()};
}

void invariant_broken(char const* expression, char const* file, int line) {
  std::fprintf(stderr, "<2>invariant broken: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace base
