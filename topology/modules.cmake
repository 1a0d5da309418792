module(topology/values SOURCES values.cpp DEPENDS base/asio LIBRARIES Boost::headers)
module(topology/shape SOURCES metric.cpp tour.cpp build.cpp DEPENDS base/result)
module(topology SOURCES topology.cpp load.cpp load_sections.cpp validate.cpp validate_addresses.cpp
  validate_identities.cpp allocation.cpp allocation_text.cpp graph.cpp shape.cpp
  DEPENDS base/result base/config base/probe/http topology/values topology/shape
  LIBRARIES Boost::headers)
module(topology/room SOURCES room.cpp second_port.cpp DEPENDS base/result base/config topology)
module(topology/neighbourhood SOURCES neighbourhood.cpp DEPENDS topology)
module(topology/proof SOURCES weaknesses.cpp areas.cpp mend.cpp certificate.cpp
  DEPENDS base/result topology topology/shape
  LIBRARIES Boost::json OpenSSL::Crypto)
module(topology/verify SOURCES certificate.cpp areas.cpp verify.cpp DEPENDS base/result
  LIBRARIES Boost::json OpenSSL::Crypto)
