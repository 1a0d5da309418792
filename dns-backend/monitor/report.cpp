#include "dns-backend/monitor/report.hpp"

#include "base/result/category.hpp"

namespace monitor {
namespace {

char const* message_of(int code) {
  switch (static_cast<errc>(code)) {
    case errc::unknown_endpoint:
      return "unknown endpoint";
    case errc::not_pushed:
      return "this endpoint is asked and does not report";
    case errc::replayed:
      return "replayed report";
    case errc::misdated:
      return "report of another time";
  }
  return "unknown error";
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("monitor", message_of);
  return {static_cast<int>(code), category};
}

base::Result<void> believable(Report const& report, std::uint64_t last_sequence, std::int64_t now_ms) {
  if (report.sequence <= last_sequence) {
    return base::fail(errc::replayed,
                      "sequence " + std::to_string(report.sequence) + " is not above " + std::to_string(last_sequence));
  }
  // Compared without a subtraction that a date from far away could overflow.
  if (report.at_ms < now_ms - clock_skew_ms_max || report.at_ms > now_ms + clock_skew_ms_max) {
    return base::fail(errc::misdated, "it is dated " + std::to_string(report.at_ms) + " ms, here it is " +
                                          std::to_string(now_ms) + " ms");
  }
  return {};
}

}  // namespace monitor
