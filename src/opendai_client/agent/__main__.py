"""``python -m opendai_client.agent`` is ``opendai-agent``."""

from opendai_client.agent.cli import main

main()
