#include "dns-backend/migrate/name_server.hpp"

#include "dns-backend/dns/ldns.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace migrate {
namespace {

using Sets = std::map<std::pair<dns::Name, dns::RRType>, dns::RRset>;

constexpr std::chrono::milliseconds connect_deadline{5000};
constexpr std::chrono::milliseconds answer_deadline{10000};
constexpr std::size_t transfer_records_max = 50'000'000;
constexpr std::size_t progress_step = 50000;

struct FreePacket {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
using PacketPtr = std::unique_ptr<ldns_pkt, FreePacket>;

// The wire form of a question, signed when there is a key. `mac` gets the signature, which the answers continue.
base::Result<std::string> question(dns::Name const& name, unsigned type, std::optional<store::TsigKey> const& key,
                                   dns::RdataPtr& mac) {
  PacketPtr const packet(ldns_pkt_query_new(ldns_dname_new_frm_str(name.text().c_str()),
                                            static_cast<ldns_rr_type>(type), LDNS_RR_CLASS_IN, 0));
  if (packet == nullptr) {
    return base::fail(errc::bad_source, "no question can be made about " + name.text());
  }
  ldns_pkt_set_random_id(packet.get());
  if (key) {
    std::string const algorithm = key->algorithm + (key->algorithm.ends_with('.') ? "" : ".");
    std::string const wire_name = algorithm == "hmac-md5." ? "hmac-md5.sig-alg.reg.int." : algorithm;
    ldns_status const status =
        ldns_pkt_tsig_sign(packet.get(), key->name.c_str(), key->content.c_str(), 300, wire_name.c_str(), nullptr);
    if (status != LDNS_STATUS_OK) {
      return base::fail(errc::bad_source, "sign with TSIG key " + key->name + ": " + ldns_get_errorstr_by_id(status));
    }
    mac.reset(ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(packet.get()), 3)));
  }
  std::uint8_t* octets = nullptr;
  std::size_t size = 0;
  if (ldns_pkt2wire(&octets, packet.get(), &size) != LDNS_STATUS_OK) {
    return base::fail(errc::bad_source, "no question can be made about " + name.text());
  }
  std::string out(reinterpret_cast<char const*>(octets), size);
  std::free(octets);  // NOLINT(cppcoreguidelines-no-malloc): ldns allocates so
  return out;
}

base::Result<PacketPtr> parse(std::string const& message) {
  ldns_pkt* raw = nullptr;
  ldns_status const status = ldns_wire2pkt(&raw, reinterpret_cast<std::uint8_t const*>(message.data()), message.size());
  PacketPtr packet(raw);
  if (status != LDNS_STATUS_OK) {
    return base::fail(errc::bad_answer, std::string("no DNS message: ") + ldns_get_errorstr_by_id(status));
  }
  return packet;
}

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

bool is_signers(dns::RRType type, bool at_apex) {
  static std::set<std::uint16_t> const anywhere = {46, 47, 50, 51};  // RRSIG, NSEC, NSEC3, NSEC3PARAM
  static std::set<std::uint16_t> const apex = {48, 59, 60};          // DNSKEY, CDS, CDNSKEY
  return anywhere.contains(type.value) || (at_apex && apex.contains(type.value));
}

// One message of a transfer after the other, until the SOA comes a second time.
class Assembly {
 public:
  Assembly(dns::Name const& zone, NameServer::Transfer const& how, dns::RdataPtr mac)
      : zone_(zone), how_(how), mac_(std::move(mac)) {}

  base::Result<void> add(std::string const& message) {
    auto const packet = parse(message);
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

  [[nodiscard]] bool done() const { return done_; }
  std::vector<dns::OwnedRRset> finish() { return list_of(std::move(sets_)); }

 private:
  // Every message must carry a signature when a key was given; each continues the one before.
  base::Result<void> verify(std::string const& message, ldns_pkt* packet) {
    if (!how_.key) {
      return {};
    }
    ldns_rr* const tsig = ldns_pkt_tsig(packet);
    bool const good =
        tsig != nullptr && ldns_pkt_tsig_verify_next(packet, reinterpret_cast<std::uint8_t const*>(message.data()),
                                                     message.size(), how_.key->name.c_str(), how_.key->content.c_str(),
                                                     mac_.get(), messages_ == 0 ? 0 : 1);
    if (!good) {
      return base::fail(errc::refused, "the answer is not signed with TSIG key " + how_.key->name);
    }
    mac_.reset(ldns_rdf_clone(ldns_rr_rdf(tsig, 3)));
    ++messages_;
    return {};
  }

  base::Result<void> take_one(ldns_rr const& record) {
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
      return {};
    }
    return take(record, sets_);
  }

  dns::Name const& zone_;
  NameServer::Transfer const& how_;
  dns::RdataPtr mac_;
  Sets sets_;
  std::size_t records_ = 0;
  std::size_t messages_ = 0;
  bool done_ = false;
};

}  // namespace

std::string rcode_text(unsigned rcode) {
  static constexpr std::array<char const*, 11> names{"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
                                                     "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};
  return rcode < names.size() ? names[rcode] : "rcode " + std::to_string(rcode);
}

base::Result<Reply> NameServer::ask(dns::Name const& name, dns::RRType type) {
  bool const reused = connection_.has_value();
  auto reply = ask_once(name, type);
  if (!reply && reply.error().code == errc::unreachable) {
    connection_.reset();
    if (reused) {
      reply = ask_once(name, type);
    }
  }
  return reply;
}

base::Result<Reply> NameServer::ask_once(dns::Name const& name, dns::RRType type) {
  if (!connection_) {
    auto opened = DnsConnection::open(address_, port_, connect_deadline);
    if (!opened) {
      return opened.error();
    }
    connection_.emplace(std::move(*opened));
  }
  dns::RdataPtr unused;
  auto const query = question(name, type.value, std::nullopt, unused);
  if (!query) {
    return query.error();
  }
  if (auto const sent = connection_->send(*query, answer_deadline); !sent) {
    return sent.error();
  }
  auto const message = connection_->receive(answer_deadline);
  if (!message) {
    return message.error();
  }
  auto const packet = parse(*message);
  if (!packet) {
    return packet.error();
  }
  if (message->compare(0, 2, *query, 0, 2) != 0) {
    return base::fail(errc::bad_answer, "the name server answered another question");
  }
  Reply reply;
  reply.rcode = ldns_pkt_get_rcode(packet->get());
  reply.authoritative = ldns_pkt_aa(packet->get());
  auto answer = section(ldns_pkt_answer(packet->get()));
  auto authority = section(ldns_pkt_authority(packet->get()));
  if (!answer || !authority) {
    return answer ? authority.error() : answer.error();
  }
  reply.answer = std::move(*answer);
  reply.authority = std::move(*authority);
  return reply;
}

base::Result<std::vector<dns::OwnedRRset>> NameServer::transfer(dns::Name const& zone, Transfer const& how) {
  auto connection = DnsConnection::open(address_, port_, connect_deadline);
  if (!connection) {
    return connection.error();
  }
  dns::RdataPtr mac;
  auto const query = question(zone, LDNS_RR_TYPE_AXFR, how.key, mac);
  if (!query) {
    return query.error();
  }
  if (auto const sent = connection->send(*query, answer_deadline); !sent) {
    return sent.error();
  }
  Assembly assembly(zone, how, std::move(mac));
  while (!assembly.done()) {
    auto const message = connection->receive(answer_deadline);
    if (!message) {
      return message.error();
    }
    if (auto const added = assembly.add(*message); !added) {
      return added.error();
    }
  }
  return assembly.finish();
}

namespace {

class AxfrSource final : public Source {
 public:
  AxfrSource(NameServer server, std::string zone, NameServer::Transfer how)
      : server_(std::move(server)), zone_(std::move(zone)), how_(std::move(how)) {}

  base::Result<std::vector<std::string>> zones() override { return std::vector<std::string>{zone_}; }
  base::Result<Zone> zone(std::string const& name) override {
    Zone zone;
    zone.name = name;
    auto const apex = dns::Name::parse(name);
    if (!apex) {
      return apex.error();
    }
    zone.apex = *apex;
    auto rrsets = server_.transfer(*apex, how_);
    if (!rrsets) {
      return rrsets.error();
    }
    zone.rrsets = std::move(*rrsets);
    for (dns::Conflict const& conflict : dns::check_zone(*apex, zone.rrsets)) {
      std::string const type = conflict.type.value == 0 ? "" : dns::to_text(conflict.type);
      zone.refused.push_back({conflict.owner.text(), type, "", conflict.message});
    }
    return zone;
  }
  base::Result<std::vector<store::TsigKey>> tsig_keys() override { return std::vector<store::TsigKey>(); }
  base::Result<std::vector<store::Autoprimary>> autoprimaries() override { return std::vector<store::Autoprimary>(); }

 private:
  NameServer server_;
  std::string zone_;
  NameServer::Transfer how_;
};

}  // namespace

base::Result<std::unique_ptr<Source>> open_axfr(std::string const& url, std::optional<store::TsigKey> key,
                                                std::function<void(std::size_t)> progress) {
  constexpr std::string_view scheme = "axfr://";
  auto const bad = base::fail(errc::bad_source, "'" + url + "' is not of the form axfr://192.0.2.1:53/example.org");
  std::size_t const slash = url.find('/', scheme.size());
  if (!url.starts_with(scheme) || slash == std::string::npos || slash + 1 == url.size()) {
    return bad;
  }
  std::string host = url.substr(scheme.size(), slash - scheme.size());
  std::uint16_t port = 53;
  std::size_t const colon = host.rfind(':');
  bool const bracketed = host.starts_with('[');
  if (colon != std::string::npos && (!bracketed || colon > host.find(']'))) {
    auto const [end, error] = std::from_chars(host.data() + colon + 1, host.data() + host.size(), port);
    if (error != std::errc() || end != host.data() + host.size() || port == 0) {
      return bad;
    }
    host.resize(colon);
  }
  if (bracketed) {
    host = host.substr(1, host.find(']') - 1);
  }
  NameServer::Transfer how;
  how.key = std::move(key);
  how.progress = std::move(progress);
  return std::unique_ptr<Source>(
      std::make_unique<AxfrSource>(NameServer(host, port), url.substr(slash + 1), std::move(how)));
}

base::Result<std::unique_ptr<Source>> open_source(std::string const& source, std::optional<store::TsigKey> key,
                                                  std::function<void(std::size_t)> progress) {
  if (source.starts_with("axfr://")) {
    return open_axfr(source, std::move(key), std::move(progress));
  }
  bool const conninfo = source.find("dbname=") != std::string::npos || source.find("host=") != std::string::npos;
  if (source.starts_with("postgresql://") || source.starts_with("postgres://") || conninfo) {
    return open_postgres(source);
  }
  std::string const scheme = "sqlite://";
  return open_sqlite(source.starts_with(scheme) ? source.substr(scheme.size()) : source);
}

}  // namespace migrate
