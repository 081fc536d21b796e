"""The load: clients over kept-alive raw sockets, each with its next request when the last is answered."""
