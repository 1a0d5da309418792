// The judgement of a DNS answer from anybody who holds the probed address. The first octet chooses the check.
#include "base/probe/attempt.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  probe::Check check;
  check.type = probe::Type::dns;
  check.qname = "www.example.";
  check.qtype = data[0] % 3 == 0 ? "A" : data[0] % 3 == 1 ? "TXT" : "SOA";
  check.expected_content = data[0] % 3 == 0 ? "192.0.2.1" : data[0] % 3 == 1 ? "\"x\"" : "";
  std::span<std::uint8_t const> const answer(data + 1, size - 1);
  auto const question = probe::dns_question(check, 7);
  (void)probe::is_answer_to(answer, question);
  (void)probe::is_truncated(answer);
  probe::Verdict const verdict = probe::judge_dns_answer(check, answer);
  if (verdict.reason.empty()) {
    std::abort();
  }
  return 0;
}
