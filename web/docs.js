// Shows the document of the listener that this page came from. Nothing is asked of another machine.

SwaggerUIBundle({ url: "/openapi.json", dom_id: "#interface", validatorUrl: null, deepLinking: true });
