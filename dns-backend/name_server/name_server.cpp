#include "dns-backend/name_server/name_server.hpp"

#include "dns-backend/dns/ldns.hpp"
#include "dns-backend/name_server/error.hpp"

namespace name_server {
namespace {

constexpr std::chrono::milliseconds connect_deadline{5000};
constexpr std::chrono::milliseconds answer_deadline{10000};

// The wire form of a question, signed when there is a key. `mac` gets the signature, which the answers continue.
base::Result<std::string> question(dns::Name const& name, unsigned type, std::optional<store::TsigKey> const& key,
                                   dns::RdataPtr& mac, std::uint16_t flags = 0) {
  PacketPtr const packet(ldns_pkt_query_new(ldns_dname_new_frm_str(name.text().c_str()),
                                            static_cast<ldns_rr_type>(type), LDNS_RR_CLASS_IN, flags));
  if (packet == nullptr) {
    return base::fail(errc::bad_question, "no question can be made about " + name.text());
  }
  ldns_pkt_set_random_id(packet.get());
  if (key) {
    std::string const algorithm = key->algorithm + (key->algorithm.ends_with('.') ? "" : ".");
    std::string const wire_name = algorithm == "hmac-md5." ? "hmac-md5.sig-alg.reg.int." : algorithm;
    ldns_status const status =
        ldns_pkt_tsig_sign(packet.get(), key->name.c_str(), key->content.c_str(), 300, wire_name.c_str(), nullptr);
    if (status != LDNS_STATUS_OK) {
      return base::fail(errc::bad_question, "sign with TSIG key " + key->name + ": " + ldns_get_errorstr_by_id(status));
    }
    mac.reset(ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(packet.get()), 3)));
  }
  std::uint8_t* octets = nullptr;
  std::size_t size = 0;
  if (ldns_pkt2wire(&octets, packet.get(), &size) != LDNS_STATUS_OK) {
    return base::fail(errc::bad_question, "no question can be made about " + name.text());
  }
  std::string out(reinterpret_cast<char const*>(octets), size);
  std::free(octets);  // NOLINT(cppcoreguidelines-no-malloc): ldns allocates so
  return out;
}

}  // namespace

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
  auto const query = question(name, type.value, std::nullopt, unused, recursive_ ? LDNS_RD : std::uint16_t{0});
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
  auto const packet = parse_message(*message);
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

}  // namespace name_server
