// What the settings ask for and the user that runs the agent may not do. The agent needs CAP_NET_ADMIN and its own
// folders; some settings need more, which root has and a user of its own gets by a drop-in of the unit.
//
// Threads: looks at this process and at files; each call blocks for the time of a few system calls.
#pragma once

#include "mesh/settings/settings.hpp"

#include <string>
#include <vector>

namespace privateer {

// What is known of the process and the machine, so that the decision is pure.
struct Privileges {
  bool root = false;
  bool raw_sockets = false;  // CAP_NET_RAW, which a BIRD that is started by this process would inherit
  bool tun = false;          // /dev/net/tun may be opened, or does not matter
  bool wireguard_folder = false;
  bool hosts_folder = false;    // of names.hosts
  bool nginx_folder = false;    // of edge.nginx_file
  bool haproxy_folder = false;  // of edge.haproxy_file
  bool caddy_folder = false;    // of edge.caddy_file
  bool edge_folder = false;
  bool wireguard_by_systemd = false;  // wireguard-go is to be systemd's, which asks polkit whether this user may
  bool polkit = false;                // it is installed
};

Privileges look_at_privileges(Settings const& settings);

// A sentence for each setting that will fail; none for root. Pure.
std::vector<std::string> limits(Settings const& settings, Privileges const& has);
// What cannot be seen from here: whether a rule lets this user reload a server of root's. To be said once; empty for
// root and where nothing is reloaded. Pure.
std::string reload_hint(Settings const& settings, Privileges const& has);

}  // namespace privateer
