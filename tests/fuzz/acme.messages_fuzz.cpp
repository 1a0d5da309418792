// Everything a CA may answer with.
#include "acme/messages/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  (void)protocol::parse_directory(text);
  auto const order = protocol::parse_order(text);
  if (order && (order->names.empty() || order->authorizations.empty() || order->finalize.empty())) {
    std::abort();
  }
  (void)protocol::parse_authorization(text);
  protocol::Problem const problem = protocol::parse_problem(text, 400);
  (void)protocol::classify(problem);
  if (problem.text().empty()) {
    std::abort();
  }
  crypto::Time const now{std::chrono::milliseconds(1'800'000'000'000)};
  auto const later = crypto::parse_retry_after(text, now);
  if (later && *later < now) {
    std::abort();
  }
  (void)crypto::retry_after_in_text(text, now);
  return 0;
}
