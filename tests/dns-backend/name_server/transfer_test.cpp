#include "dns-backend/name_server/transfer.hpp"

#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <vector>

namespace {

using name_server::Assembly;
using name_server::Transfer;

// A message of an AXFR made by ldns, from records in presentation form.
std::string message(std::vector<std::string> const& records, unsigned rcode = 0) {
  name_server::PacketPtr const packet(ldns_pkt_query_new(ldns_dname_new_frm_str("example."), LDNS_RR_TYPE_AXFR,
                                                     LDNS_RR_CLASS_IN, 0));
  ldns_pkt_set_qr(packet.get(), true);
  ldns_pkt_set_rcode(packet.get(), static_cast<std::uint8_t>(rcode));
  for (std::string const& text : records) {
    ldns_rr* record = nullptr;
    if (ldns_rr_new_frm_str(&record, text.c_str(), 300, nullptr, nullptr) != LDNS_STATUS_OK) {
      throw std::invalid_argument(text);
    }
    ldns_pkt_push_rr(packet.get(), LDNS_SECTION_ANSWER, record);
  }
  std::uint8_t* octets = nullptr;
  std::size_t size = 0;
  ldns_pkt2wire(&octets, packet.get(), &size);
  std::string out(reinterpret_cast<char const*>(octets), size);
  std::free(octets);  // NOLINT(cppcoreguidelines-no-malloc): ldns allocates so
  return out;
}

char const* const soa = "example. 300 IN SOA ns1.example. hostmaster.example. 1 10800 3600 604800 300";

class Assembling : public testing::Test {
 protected:
  std::vector<std::string> finished() {
    std::vector<std::string> out;
    for (dns::OwnedRRset const& owned : assembly.finish()) {
      std::string line = owned.owner.text() + " " + std::to_string(owned.rrset.ttl) + " " + dns::to_text(owned.rrset.type);
      for (std::string const& content : owned.rrset.contents) {
        line += " " + content;
      }
      out.push_back(line);
    }
    return out;
  }

  dns::Name zone = dns::Name::parse("example.").value();
  Transfer how;
  Assembly assembly{zone, how, nullptr};
};

TEST_F(Assembling, RRsetsGrowOverSeveralMessagesUntilTheSecondSoa) {
  ASSERT_TRUE(assembly.add(message({soa, "www.example. 300 IN A 192.0.2.2"})));
  EXPECT_FALSE(assembly.done());
  ASSERT_TRUE(assembly.add(message({"www.example. 60 IN A 192.0.2.1", "www.example. 300 IN A 192.0.2.2"})));
  EXPECT_FALSE(assembly.done());
  ASSERT_TRUE(assembly.add(message({"t.example. 300 IN TXT \"a\" \"b\"", soa})));
  EXPECT_TRUE(assembly.done());
  EXPECT_THAT(finished(),
              testing::ElementsAre("example. 300 SOA ns1.example. hostmaster.example. 1 10800 3600 604800 300",
                                   "t.example. 300 TXT \"a\" \"b\"", "www.example. 60 A 192.0.2.1 192.0.2.2"));
}

TEST_F(Assembling, WhatASignerMakesIsLeftOutUnlessItIsWanted) {
  std::vector<std::string> const records = {
      soa, "example. 300 IN NSEC www.example. SOA", "www.example. 300 IN A 192.0.2.1",
      "www.example. 300 IN RRSIG A 13 2 300 20330101000000 20230101000000 1 example. eHh4eA==", soa};
  ASSERT_TRUE(assembly.add(message(records)));
  EXPECT_EQ(finished().size(), 2U);
  how.without_signatures = false;
  Assembly all(zone, how, nullptr);
  ASSERT_TRUE(all.add(message(records)));
  EXPECT_EQ(all.finish().size(), 4U);
}

TEST_F(Assembling, RefusesWhatIsNoTransfer) {
  auto const failure = [this](std::string const& octets) {
    Assembly one(zone, how, nullptr);
    auto const added = one.add(octets);
    return added ? "taken" : added.error().what();
  };
  EXPECT_THAT(failure(message({}, 5)), testing::HasSubstr("REFUSED"));
  EXPECT_THAT(failure(message({})), testing::HasSubstr("empty"));
  EXPECT_THAT(failure(message({"www.example. 300 IN A 192.0.2.1", soa})), testing::HasSubstr("begin with the SOA"));
  EXPECT_THAT(failure("rubbish"), testing::HasSubstr("no DNS message"));
  how.key = store::TsigKey{"transfer.", "hmac-sha256", "c2VjcmV0"};
  EXPECT_THAT(failure(message({soa, soa})), testing::HasSubstr("not signed with TSIG key"));
}

}  // namespace
