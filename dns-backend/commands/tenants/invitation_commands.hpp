// Invitations to sign up: made, listed, revoked. They need the daemon.
//
// Exit codes as tenant_commands.hpp has them.
//
// Threads: blocking; the command line only.
#pragma once

#include "dns-backend/commands/place.hpp"

#include <cstdint>
#include <string>

namespace commands {

struct InvitationRequest {
  std::string id;
  std::string label;  // pattern; empty: any
  std::string plan;   // empty: the settings'
  std::string note;
  std::int64_t uses = 1;
  std::int64_t expires_in_s = 30LL * 24 * 3600;
};

int invitation_create(Place const& place, InvitationRequest const& invitation, Output output);
int invitation_list(Place const& place, Output output);
int invitation_revoke(Place const& place, std::string const& id);

}  // namespace commands
