// Zones that are pulled from elsewhere: which are due for a check, and whose NOTIFY may create one.
//
// Threads: pure; any loop.
#pragma once

#include "dns-backend/protocol/request.hpp"
#include "dns-backend/snapshot/snapshot.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace remote {

// Whether a "slave" zone with masters must be compared with them (RFC 1035 3.3.13: REFRESH seconds after the last
// time). One without an SOA was never transferred and is always due; so is one whose check was taken back (setStale).
[[nodiscard]] bool is_due(store::Zone const& zone, std::int64_t now_s);

// getUnfreshSlaveInfos: the zones that are due. PowerDNS asks all it is told of, so nothing else may be among them.
void answer_unfresh(store::Snapshot const& snapshot, std::int64_t now_s, std::string& out);

// superMasterBackend: {account,nameserver} of the autoprimary with that address and one of these name servers, or
// false.
void answer_autoprimary(FromAutoprimary const& asked, store::Snapshot const& snapshot, std::string& out);

// The masters of a zone that an autoprimary announced: every address of that name server and account, the announcing
// one first.
[[nodiscard]] std::vector<std::string> masters_of(CreateSecondary const& request, store::Snapshot const& snapshot);

}  // namespace remote
