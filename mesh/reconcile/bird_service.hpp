// Brings the running BIRD to a configuration: written beside, checked, renamed, applied; started when it does not run.
//
// The file BIRD starts from announces no anycast service (its statics are disabled until their first check). While
// services are announced, a running BIRD is given a second file that says so, because a reconfiguration would
// otherwise withdraw them. BIRD is never stopped here, and outlives the agent.
//
// Threads: one object on one loop.
#pragma once

#include "base/net/task.hpp"
#include "routing/bird/control.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reconcile {

enum class errc {
  bird = 1,  // BIRD does not start, or does not take its configuration; the detail has its own sentence
};
boost::system::error_code make_error_code(errc code);

struct BirdSettings {
  std::string config_file = "/etc/bird/bird.conf";
  std::string control_socket = "/run/bird/bird.ctl";
  std::vector<std::string> start;  // argv that starts it; empty: a service manager's business
  std::string program = "bird";    // asked to check a file while no BIRD runs ("-p -c FILE")
  std::string log_file;            // of the started process; empty: /dev/null
};

class BirdService {
 public:
  // `marker_file` remembers which text the running BIRD took last, over a crash between rename and configure.
  BirdService(BirdSettings settings, std::string marker_file)
      : settings_(std::move(settings)), marker_file_(std::move(marker_file)), control_(settings_.control_socket) {}

  // `start_text` is the file, `live_text` what a running BIRD gets (equal when nothing is announced). True when
  // something was done; nothing is written when BIRD already runs with it, which it no longer does when somebody else
  // reconfigured it. errc::bird with BIRD's own sentence when
  // the text is refused: then the old file and the old configuration stay.
  // On a `trial` (its number; 0: none) a running BIRD goes back to what it had before after `confirm_within` unless
  // confirm() comes first: also when this process has ended meanwhile. It remembers one configuration only. So another
  // trial that supersedes one begins where that would have gone back to (`configure undo`, in the same moment), and
  // what changes during a trial (a cost) waits for its end.
  net::Task<base::Result<bool>> converge(std::string start_text, std::string live_text, std::uint64_t trial = 0);
  static constexpr std::chrono::seconds confirm_within{120};

  // What was taken on trial stays. A success when nothing is.
  net::Task<base::Result<void>> confirm();

  // Makes BIRD write all its routes to the kernel again. The kernel drops the IPv4 routes of an interface or address
  // that goes and tells nobody; when the interface is back before OSPF has noticed, BIRD sees no change and would find
  // the loss at its next scan only, two seconds later.
  net::Task<base::Result<void>> rewrite_routes();

  // Makes OSPF calculate its routes again. An OSPFv3 adjacency that is Full before the neighbour's link LSA has come
  // has no next hop ("Cannot find next hop for LSA"), and BIRD 2.0.12 does not look again when it comes.
  net::Task<base::Result<void>> recalculate();

  // Enables what the text says is enabled and somebody disabled; a sentence for each.
  net::Task<base::Result<std::vector<std::string>>> enable_protocols(std::string start_text);

  [[nodiscard]] std::string const& config_file() const { return settings_.config_file; }
  [[nodiscard]] bird::Control const& control() const { return control_; }

 private:
  net::Task<base::Result<void>> check(std::string file, bool running);
  net::Task<base::Result<void>> start();
  net::Task<base::Result<void>> configure(std::string start_text, std::string live_text, bool trial);
  net::Task<base::Result<void>> undo();
  // Whether somebody listens, and when BIRD was started and reconfigured last, in its own words; those are empty when
  // it does not answer in time.
  struct Running {
    bool up = false;
    std::string since;
  };
  net::Task<Running> running();
  // Remembers that what BIRD goes by now is the text of this mark.
  net::Task<base::Result<void>> keep_mark(std::string mark);

  BirdSettings settings_;
  std::string marker_file_;
  bird::Control control_;
  std::string on_trial_;        // the mark of what BIRD took on trial; empty: nothing
  std::uint64_t trial_ = 0;     // on which
  std::string on_trial_stamp_;  // when it took that
  std::chrono::steady_clock::time_point on_trial_since_{};
};

// Pure: "Last reboot on ..., Last reconfiguration on ..." of `show status`; empty when that is not what it is.
std::string configured_since(bird::Lines const& show_status);
// Pure: whether two answers of configured_since speak of the same BIRD and the same configuration. BIRD counts its
// times back from now at each question, and both of one answer are off by the same: their difference is exact, also
// when the machine is slow or its clock is being slewed, and somebody's `configure` a moment after ours changes it.
bool same_configuration(std::string const& marked, std::string const& now);
// Pure: protocols of BIRD that are down although the text defines them enabled. Statics of anycast services are the
// announcer's, and sessions with upstreams are an operator's to take down.
std::vector<std::string> disabled_by_hand(std::vector<bird::ProtocolRow> const& rows, std::string_view text);
// Pure: BIRD lacks an instance of OSPF that the text defines: somebody let it read another file, in the very second in
// which it had read ours, which `configured_since` cannot tell.
bool runs_another(std::vector<bird::ProtocolRow> const& rows, std::string_view text);

}  // namespace reconcile

template <>
struct boost::system::is_error_code_enum<reconcile::errc> : std::true_type {};
