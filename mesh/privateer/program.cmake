module(mesh/privateer/ca SOURCES commands.cpp DEPENDS base/result base/process mesh/internal_ca LIBRARIES Boost::json)
program(privateer mesh/privateer SOURCES run.cpp daemons.cpp edge_status.cpp client.cpp
    planning.cpp looking.cpp watching.cpp
  DEPENDS base/result base/net base/process base/manual topology topology/proof topology/verify mesh/wireguard
    mesh/wireguard/backend mesh/plan mesh/planning mesh/privateer/ca mesh/enrolment mesh/world_store mesh/controller
    mesh/guard mesh/agent mesh/bounded_logs mesh/agent/belief mesh/round_trips mesh/figures mesh/showing mesh/settings
    mesh/looking mesh/doctor mesh/names mesh/twins mesh/preview routing/bird routing/repair_links acme/edge
    base/http_client base/http_server
  LIBRARIES Boost::json fmt::fmt CLI11::CLI11)
