#include "base/probe/attempt.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <ldns/ldns.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <cstdlib>

namespace probe {
namespace {

constexpr std::uint16_t edns_size = 1232;  // fits every path's MTU, the value of the DNS flag day 2020
constexpr std::size_t header_size = 12;

struct Free {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
  void operator()(ldns_rr* record) const { ldns_rr_free(record); }
  void operator()(ldns_rdf* data) const { ldns_rdf_deep_free(data); }
  void operator()(std::uint8_t* octets) const { std::free(octets); }
  void operator()(char* text) const { std::free(text); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

ldns_rr_type type_of(std::string const& mnemonic) {
  return ldns_get_rr_type_by_name(mnemonic.c_str());
}

// Names inside rdata compare without regard to case (RFC 4034 6.2), everything else octet by octet.
bool same_rdata(ldns_rr* left, ldns_rr* right) {
  ldns_rr2canonical(left);
  ldns_rr2canonical(right);
  std::size_t const count = ldns_rr_rd_count(left);
  if (count != ldns_rr_rd_count(right)) {
    return false;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (ldns_rdf_compare(ldns_rr_rdf(left, i), ldns_rr_rdf(right, i)) != 0) {
      return false;
    }
  }
  return true;
}

std::string rcode_name(ldns_pkt_rcode rcode) {
  Owned<char> const name(ldns_pkt_rcode2str(rcode));
  return name == nullptr ? "rcode " + std::to_string(static_cast<int>(rcode)) : std::string(name.get());
}

// Octets of the first question, name and type and class; empty when it is cut off or compressed.
std::span<std::uint8_t const> question_of(std::span<std::uint8_t const> message) {
  std::size_t at = header_size;
  while (at < message.size() && message[at] != 0) {
    if (message[at] > 63) {
      return {};
    }
    at += message[at] + std::size_t{1};
  }
  constexpr std::size_t root_type_class = 5;
  if (at + root_type_class > message.size()) {
    return {};
  }
  return message.subspan(header_size, at + root_type_class - header_size);
}

std::uint8_t lower(std::uint8_t octet) {
  return octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet + ('a' - 'A')) : octet;
}

Verdict judge_packet(Check const& check, ldns_pkt* packet) {
  if (ldns_pkt_get_rcode(packet) != LDNS_RCODE_NOERROR) {
    return bad(rcode_name(ldns_pkt_get_rcode(packet)) + " for " + check.qname);
  }
  if (!ldns_pkt_aa(packet)) {
    return bad("the answer for " + check.qname + " is not authoritative");
  }
  Owned<ldns_rr> expected;
  if (!check.expected_content.empty()) {
    std::string const record = check.qname + " 0 IN " + check.qtype + " " + check.expected_content;
    ldns_rr* parsed = nullptr;
    ldns_status const status = ldns_rr_new_frm_str(&parsed, record.c_str(), 0, nullptr, nullptr);
    expected.reset(parsed);
    if (status != LDNS_STATUS_OK) {
      return bad("'" + check.expected_content + "' is no " + check.qtype + " content");
    }
  }
  ldns_rr_list const* const answers = ldns_pkt_answer(packet);
  std::size_t seen = 0;
  for (std::size_t i = 0; answers != nullptr && i < ldns_rr_list_rr_count(answers); ++i) {
    ldns_rr* const record = ldns_rr_list_rr(answers, i);
    if (ldns_rr_get_type(record) != type_of(check.qtype)) {
      continue;
    }
    ++seen;
    if (expected == nullptr || same_rdata(record, expected.get())) {
      return good();
    }
  }
  if (seen == 0) {
    return bad("no " + check.qtype + " for " + check.qname);
  }
  return bad("none of the " + std::to_string(seen) + " " + check.qtype + " records of " + check.qname + " is " +
             check.expected_content);
}

}  // namespace

std::vector<std::uint8_t> dns_question(Check const& check, std::uint16_t id) {
  if (check.qname.empty() || type_of(check.qtype) == 0) {
    return {};
  }
  ldns_rdf* name_raw = nullptr;
  if (ldns_str2rdf_dname(&name_raw, check.qname.c_str()) != LDNS_STATUS_OK) {
    return {};
  }
  // The packet takes the name over.
  Owned<ldns_pkt> const packet(ldns_pkt_query_new(name_raw, type_of(check.qtype), LDNS_RR_CLASS_IN, 0));
  if (packet == nullptr) {
    ldns_rdf_deep_free(name_raw);
    return {};
  }
  ldns_pkt_set_id(packet.get(), id);
  ldns_pkt_set_edns_udp_size(packet.get(), edns_size);
  std::uint8_t* wire_raw = nullptr;
  std::size_t size = 0;
  ldns_status const status = ldns_pkt2wire(&wire_raw, packet.get(), &size);
  Owned<std::uint8_t> const wire(wire_raw);
  if (status != LDNS_STATUS_OK) {
    return {};
  }
  return {wire.get(), wire.get() + size};
}

bool is_answer_to(std::span<std::uint8_t const> answer, std::span<std::uint8_t const> question) {
  constexpr std::uint8_t response_bit = 0x80;
  if (answer.size() < header_size || question.size() < header_size || answer[0] != question[0] ||
      answer[1] != question[1] || (answer[2] & response_bit) == 0) {
    return false;
  }
  auto const asked = question_of(question);
  auto const answered = question_of(answer);
  return std::equal(asked.begin(), asked.end(), answered.begin(), answered.end(),
                    [](std::uint8_t a, std::uint8_t b) { return lower(a) == lower(b); });
}

bool is_truncated(std::span<std::uint8_t const> answer) {
  constexpr std::uint8_t truncated_bit = 0x02;
  return answer.size() > 2 && (answer[2] & truncated_bit) != 0;
}

Verdict judge_dns_answer(Check const& check, std::span<std::uint8_t const> answer) {
  ldns_pkt* raw = nullptr;
  ldns_status const status = ldns_wire2pkt(&raw, answer.data(), answer.size());
  Owned<ldns_pkt> const packet(raw);
  if (status != LDNS_STATUS_OK || packet == nullptr) {
    return bad("the answer is no DNS message: " + std::string(ldns_get_errorstr_by_id(status)));
  }
  return judge_packet(check, packet.get());
}

}  // namespace probe
