// What comes back over DNS: one message, and the messages of a zone transfer (AXFR, RFC 5936) put together, with TSIG
// (RFC 8945). Nothing in here is trusted: the octets come from a network.
//
// Threads: plain values.
#pragma once

#include "base/result/result.hpp"
#include "dns-backend/dns/ldns.hpp"
#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/snapshot/snapshot.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace name_server {

struct FreePacket {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
using PacketPtr = std::unique_ptr<ldns_pkt, FreePacket>;

std::string rcode_text(unsigned rcode);  // "NXDOMAIN"

// Failure: errc::bad_answer.
base::Result<PacketPtr> parse_message(std::string const& message);

// The RRsets of one section, without RRSIG and NSEC. Failure: errc::bad_answer.
base::Result<std::vector<dns::OwnedRRset>> section(ldns_rr_list const* records);

// How a zone is taken over. Records of one set with different TTLs get the lowest.
struct Transfer {
  std::optional<store::TsigKey> key;
  // DNSSEC records that a signer makes (RRSIG, NSEC, NSEC3, NSEC3PARAM, and the DNSKEY, CDS and CDNSKEY of the apex)
  // are left out.
  bool without_signatures = true;
  std::function<void()> dropped = {};                 // called once when signatures were left out
  std::function<void(std::size_t records)> progress;  // each 50,000 records
};

// One message of a transfer after the other, until the SOA comes a second time.
class Assembly {
 public:
  // `mac` is the signature of the question, when it carried one. `zone` and `how` must outlive it.
  Assembly(dns::Name const& zone, Transfer const& how, dns::RdataPtr mac)
      : zone_(zone), how_(how), mac_(std::move(mac)) {}

  // Failures: refused (the rcode, or a TSIG that does not verify), bad_answer. The transfer is over then.
  base::Result<void> add(std::string const& message);
  [[nodiscard]] bool done() const { return done_; }
  std::vector<dns::OwnedRRset> finish();

 private:
  base::Result<void> verify(std::string const& message, ldns_pkt* packet);
  base::Result<void> take_one(ldns_rr const& record);

  dns::Name const& zone_;
  Transfer const& how_;
  dns::RdataPtr mac_;
  std::map<std::pair<dns::Name, dns::RRType>, dns::RRset> sets_;
  std::size_t records_ = 0;
  std::size_t messages_ = 0;
  bool done_ = false;
  bool dropped_ = false;
};

}  // namespace name_server
