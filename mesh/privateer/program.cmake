program(privateer mesh/privateer SOURCES settings.cpp run.cpp daemons.cpp edge_status.cpp client.cpp status_text.cpp
    planning.cpp
  DEPENDS base/result base/config base/net base/process topology topology/proof topology/verify mesh/wireguard
    mesh/wireguard/backend mesh/plan mesh/planning mesh/enrolment mesh/controller
    mesh/agent mesh/agent/belief routing/bird acme/edge
    base/http_client base/http_server
  LIBRARIES Boost::json fmt::fmt CLI11::CLI11)
