"""The pure state machines of the collector: reassembly and completeness. No sockets, no clock."""
