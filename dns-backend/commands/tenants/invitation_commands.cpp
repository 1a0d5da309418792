#include "dns-backend/commands/tenants/invitation_commands.hpp"

#include "base/http/http.hpp"
#include "dns-backend/commands/tenants/calls.hpp"

#include <boost/json.hpp>

namespace commands {

int invitation_create(Place const& place, InvitationRequest const& invitation, Output output) {
  boost::json::object body{{"uses", invitation.uses}, {"expires_in_s", invitation.expires_in_s}};
  for (auto const& [key, text] : {std::pair("label", &invitation.label), std::pair("plan", &invitation.plan),
                                  std::pair("note", &invitation.note)}) {
    if (!text->empty()) {
      body[key] = *text;
    }
  }
  return call_and_print(place, "POST", "/v1/invitations", body, output, "invitation");
}

int invitation_list(Place const& place, Output output) {
  return print_pages(place, output, "/v1/invitations?limit=1000", "invitations",
                     {{"id", "ID"},
                      {"state", "STATE"},
                      {"used", "USED"},
                      {"uses", "OF"},
                      {"label", "LABELS"},
                      {"plan", "PLAN"},
                      {"expires_at_ms", "UNTIL (MS)"},
                      {"note", "NOTE"}});
}

int invitation_revoke(Place const& place, std::string const& id) {
  return remove(place, "/v1/invitations/" + net::percent_encode(id));
}

}  // namespace commands
