"""What a document is: title, organisation, period and type, recognised by rules from its first pages."""
