#include "acme/status/status.hpp"

#include <boost/json/value_from.hpp>

namespace acme {

boost::json::object json_of(SubjectStatus const& status) {
  return {{"tenant", status.tenant},
          {"kind", status.kind},
          {"name", status.name},
          {"state", status.state},
          {"names", boost::json::value_from(status.names)},
          {"fingerprint", status.fingerprint},
          {"authority", status.authority},
          {"not_after_ms", status.not_after_ms},
          {"renew_at_ms", status.renew_at_ms},
          {"renew_why", status.renew_why},
          {"next_attempt_ms", status.next_attempt_ms},
          {"last_error", status.last_error},
          {"alarm", status.alarm},
          {"missing", status.missing},
          {"revoked", status.revoked},
          {"source", status.source},
          {"fallback_to_acme", status.fallback}};
}

}  // namespace acme
