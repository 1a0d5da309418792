module(topology SOURCES topology.cpp values.cpp load.cpp load_sections.cpp validate.cpp validate_addresses.cpp allocation.cpp
  allocation_text.cpp graph.cpp weaknesses.cpp shape.cpp
  DEPENDS base/result base/config
  LIBRARIES Boost::headers)
