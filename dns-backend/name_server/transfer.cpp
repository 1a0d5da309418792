#include "dns-backend/name_server/transfer.hpp"

#include "dns-backend/name_server/error.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace name_server {
namespace {

using Sets = std::map<std::pair<dns::Name, dns::RRType>, dns::RRset>;

constexpr std::size_t transfer_records_max = 50'000'000;
constexpr std::size_t progress_step = 50000;

// RFC 3597's form of any rdata: what comes out is then read and written like everything else.
std::string generic_content(ldns_rr const& record) {
  constexpr char const* digits = "0123456789abcdef";
  std::string hex;
  std::size_t size = 0;
  for (std::size_t i = 0; i < ldns_rr_rd_count(&record); ++i) {
    ldns_rdf const* const field = ldns_rr_rdf(&record, i);
    std::uint8_t const* const octets = ldns_rdf_data(field);
    size += ldns_rdf_size(field);
    for (std::size_t k = 0; k < ldns_rdf_size(field); ++k) {
      hex += digits[octets[k] >> 4U];
      hex += digits[octets[k] & 15U];
    }
  }
  return "\\# " + std::to_string(size) + (hex.empty() ? "" : " " + hex);
}

base::Result<void> take(ldns_rr const& record, Sets& sets) {
  dns::TextPtr const printed(ldns_rdf2str(ldns_rr_owner(&record)));
  auto const owner = dns::Name::parse(printed == nullptr ? "" : printed.get());
  dns::RRType const type{static_cast<std::uint16_t>(ldns_rr_get_type(&record))};
  if (!owner) {
    return owner.error();
  }
  auto const content = dns::normalize_content(type, generic_content(record));
  if (!content) {
    return base::fail(errc::bad_answer, owner->text() + " " + dns::to_text(type) + ": " + content.error().detail);
  }
  std::uint32_t const ttl = ldns_rr_ttl(&record);
  auto const [place, fresh] = sets.try_emplace({*owner, type}, dns::RRset{type, ttl, {}});
  place->second.ttl = std::min(place->second.ttl, ttl);
  place->second.contents.push_back(*content);
  return {};
}

std::vector<dns::OwnedRRset> list_of(Sets sets) {
  std::vector<dns::OwnedRRset> out;
  for (auto& [key, rrset] : sets) {
    std::sort(rrset.contents.begin(), rrset.contents.end());
    rrset.contents.erase(std::unique(rrset.contents.begin(), rrset.contents.end()), rrset.contents.end());
    out.push_back({key.first, std::move(rrset)});
  }
  return out;
}

bool is_signers(dns::RRType type, bool at_apex) {
  static std::set<std::uint16_t> const anywhere = {46, 47, 50, 51};  // RRSIG, NSEC, NSEC3, NSEC3PARAM
  static std::set<std::uint16_t> const apex = {48, 59, 60};          // DNSKEY, CDS, CDNSKEY
  return anywhere.contains(type.value) || (at_apex && apex.contains(type.value));
}

}  // namespace

std::string rcode_text(unsigned rcode) {
  static constexpr std::array<char const*, 11> names{"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
                                                     "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};
  return rcode < names.size() ? names[rcode] : "rcode " + std::to_string(rcode);
}

base::Result<PacketPtr> parse_message(std::string const& message) {
  ldns_pkt* raw = nullptr;
  ldns_status const status = ldns_wire2pkt(&raw, reinterpret_cast<std::uint8_t const*>(message.data()), message.size());
  PacketPtr packet(raw);
  if (status != LDNS_STATUS_OK) {
    return base::fail(errc::bad_answer, std::string("no DNS message: ") + ldns_get_errorstr_by_id(status));
  }
  return packet;
}

base::Result<std::vector<dns::OwnedRRset>> section(ldns_rr_list const* records) {
  Sets sets;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(records); ++i) {
    ldns_rr const* const record = ldns_rr_list_rr(records, i);
    dns::RRType const type{static_cast<std::uint16_t>(ldns_rr_get_type(record))};
    if (type == dns::type_rrsig || type == dns::type_nsec) {
      continue;
    }
    if (auto const taken = take(*record, sets); !taken) {
      return taken.error();
    }
  }
  return list_of(std::move(sets));
}

base::Result<void> Assembly::add(std::string const& message) {
  auto const packet = parse_message(message);
  if (!packet) {
    return packet.error();
  }
  unsigned const rcode = ldns_pkt_get_rcode(packet->get());
  if (rcode != 0) {
    return base::fail(errc::refused, "the transfer of " + zone_.text() + " was answered with " + rcode_text(rcode));
  }
  if (auto const verified = verify(message, packet->get()); !verified) {
    return verified;
  }
  ldns_rr_list const* const records = ldns_pkt_answer(packet->get());
  if (ldns_rr_list_rr_count(records) == 0) {
    return base::fail(errc::bad_answer, "a message of the transfer is empty");
  }
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(records) && !done_; ++i) {
    if (auto const taken = take_one(*ldns_rr_list_rr(records, i)); !taken) {
      return taken;
    }
  }
  return {};
}

// Every message must carry a signature when a key was given; each continues the one before.
base::Result<void> Assembly::verify(std::string const& message, ldns_pkt* packet) {
  if (!how_.key) {
    return {};
  }
  ldns_rr* const tsig = ldns_pkt_tsig(packet);
  bool const good =
      tsig != nullptr &&
      ldns_pkt_tsig_verify_next(packet, reinterpret_cast<std::uint8_t const*>(message.data()), message.size(),
                                how_.key->name.c_str(), how_.key->content.c_str(), mac_.get(), messages_ == 0 ? 0 : 1);
  if (!good) {
    return base::fail(errc::refused, "the answer is not signed with TSIG key " + how_.key->name);
  }
  mac_.reset(ldns_rdf_clone(ldns_rr_rdf(tsig, 3)));
  ++messages_;
  return {};
}

base::Result<void> Assembly::take_one(ldns_rr const& record) {
  dns::RRType const type{static_cast<std::uint16_t>(ldns_rr_get_type(&record))};
  ++records_;
  if (records_ == 1 && type != dns::type_soa) {
    return base::fail(errc::bad_answer, "the transfer does not begin with the SOA");
  }
  if (records_ > 1 && type == dns::type_soa) {
    done_ = true;
    return {};
  }
  if (records_ > transfer_records_max) {
    return base::fail(errc::bad_answer, "the transfer has more records than any zone");
  }
  if (how_.progress && records_ % progress_step == 0) {
    how_.progress(records_);
  }
  dns::TextPtr const owner(ldns_rdf2str(ldns_rr_owner(&record)));
  auto const name = dns::Name::parse(owner == nullptr ? "" : owner.get());
  if (how_.without_signatures && is_signers(type, name && *name == zone_)) {
    if (how_.dropped && !std::exchange(dropped_, true)) {
      how_.dropped();
    }
    return {};
  }
  return take(record, sets_);
}

std::vector<dns::OwnedRRset> Assembly::finish() {
  return list_of(std::move(sets_));
}

}  // namespace name_server
