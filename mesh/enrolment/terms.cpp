#include "mesh/enrolment/terms.hpp"

#include "mesh/enrolment/error.hpp"
#include "mesh/internal_ca/credentials.hpp"
#include "mesh/wireguard/device.hpp"

#include <algorithm>

namespace enrolment {
namespace {

namespace json = boost::json;

constexpr std::int64_t token_lifetime_default_s = 3600;
constexpr std::int64_t token_lifetime_max_s = 30LL * 24 * 3600;
constexpr std::int64_t token_uses_max = 10000;

// Reads an integer member in a range; appends to `mistakes` otherwise.
std::int64_t number(json::object const& body, std::string_view key, std::int64_t fallback, std::int64_t most,
                    std::string& mistakes) {
  auto const* const value = body.if_contains(key);
  if (value == nullptr) {
    return fallback;
  }
  if (!value->is_int64() || value->get_int64() < 1 || value->get_int64() > most) {
    mistakes += std::string(key) + ": must be a whole number from 1 to " + std::to_string(most) + "; ";
    return fallback;
  }
  return value->get_int64();
}

void text_term(json::object const& body, char const* key, std::string& out) {
  auto const* const value = body.if_contains(key);
  out = value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

std::string read_terms(json::object const& body, Places const& places, std::int64_t now_s, TokenTerms& terms) {
  std::string mistakes;
  terms.expires_at_s = now_s + number(body, "lifetime_s", token_lifetime_default_s, token_lifetime_max_s, mistakes);
  terms.uses = number(body, "uses", 1, token_uses_max, mistakes);
  std::string purpose;
  text_term(body, "purpose", purpose);
  text_term(body, "node", terms.node);
  text_term(body, "role", terms.role);
  text_term(body, "segment", terms.segment);
  text_term(body, "address", terms.address);
  auto const known = purpose_of(purpose.empty() ? "node" : purpose);
  terms.purpose = known.value_or(Purpose::node);
  if (!known) {
    mistakes += "purpose: must be node or operator; ";
  }
  if (terms.purpose == Purpose::operator_of) {
    if (terms.node.empty() || terms.node.find('.') != std::string::npos || !terms.role.empty() ||
        !terms.segment.empty()) {
      mistakes += "purpose: an operator's token is bound to its name (node) alone, without dots; ";
    }
    terms.node += operator_suffix;
  } else if (!terms.node.empty() && !places.contains(terms.node)) {
    mistakes += "node: the topology names no node '" + terms.node + "'; ";
  }
  if (!terms.role.empty() && terms.role != "central" && terms.role != "regional" && terms.role != "edge") {
    mistakes += "role: must be central, regional or edge; ";
  }
  bool const has_segment = std::any_of(places.begin(), places.end(),
                                       [&](auto const& entry) { return entry.second.segment == terms.segment; });
  if (!terms.segment.empty() && !has_segment) {
    mistakes += "segment: no node of the topology is in a segment '" + terms.segment + "'; ";
  }
  if (!terms.address.empty() && !wireguard::parse_network(terms.address)) {
    mistakes += "address: must be an address or a network, for instance 198.51.100.0/24; ";
  }
  return mistakes;
}

json::object to_json(TokenRow const& row) {
  return {{"id", row.id},
          {"node", row.terms.node},
          {"purpose", name(row.terms.purpose)},
          {"role", row.terms.role},
          {"segment", row.terms.segment},
          {"address", row.terms.address},
          {"uses", row.terms.uses},
          {"used", row.used},
          {"expires_at", row.terms.expires_at_s},
          {"revoked", row.revoked}};
}

bool is_refusal(base::Failure const& failure) {
  return failure.code.category() == make_error_code(errc::bad_token).category() && failure.code != errc::crypto &&
         failure.code != errc::bad_state;
}

base::Failure no_certificate(base::Failure const& failure) {
  return failure.code == internal_ca::errc::bad_request ? base::fail(errc::bad_request, failure.detail) : failure;
}

std::string host_of(std::string const& peer) {
  auto const colon = peer.rfind(':');
  std::string host = peer.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return host;
}

}  // namespace enrolment
