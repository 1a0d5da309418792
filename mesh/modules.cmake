module(mesh/wireguard SOURCES error.cpp key.cpp device.cpp diff.cpp configuration.cpp uapi.cpp netlink_socket.cpp netlink.cpp
  link.cpp driver.cpp backend.cpp
  DEPENDS base/result base/net base/process LIBRARIES PkgConfig::nl OpenSSL::Crypto)
module(mesh/plan SOURCES world.cpp plan.cpp text.cpp
  DEPENDS base/result topology mesh/wireguard routing/bird LIBRARIES Boost::json)
module(mesh/enrolment SOURCES error.cpp token.cpp credentials.cpp authority.cpp registry.cpp enroller.cpp
  DEPENDS base/result base/net base/process base/database topology mesh/wireguard
    base/http_client
  LIBRARIES Boost::json OpenSSL::Crypto OpenSSL::SSL)
module(mesh/controller SOURCES controller.cpp world_store.cpp node_routes.cpp operator_routes.cpp
  DEPENDS base/result base/net base/process base/database topology mesh/wireguard mesh/plan mesh/enrolment
    base/http_server base/store_thread
  LIBRARIES Boost::json)
module(mesh/agent SOURCES snapshots.cpp machine.cpp bird_service.cpp reconciler.cpp follower.cpp status.cpp agent.cpp
  DEPENDS base/result base/net base/process base/probe topology mesh/wireguard mesh/plan mesh/enrolment routing/bird
    routing/anycast
    base/http base/http_client
  LIBRARIES Boost::json)
